-- Ids that name another class than before: another course, and no student in common.
SELECT coalesce(n."schoolSourcedId", '') AS school, n."sourcedId" AS id
FROM "classes_at"($load) n
JOIN "classes_at"($baseline) o ON o."sourcedId" = n."sourcedId"
WHERE n._sdc_first_load > $baseline
  AND n."courseSourcedId" <> o."courseSourcedId"
  AND NOT EXISTS (
    SELECT 1 FROM "enrollments_at"($baseline) a
    JOIN "enrollments_at"($load) b ON a."userSourcedId" = b."userSourcedId" AND a."classSourcedId" = b."classSourcedId"
    WHERE a."role" = 'student' AND b."role" = 'student' AND a."classSourcedId" = n."sourcedId")
