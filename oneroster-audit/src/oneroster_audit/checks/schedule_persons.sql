-- Whom the classes of `schedule` touch: those who are in them at $load, and in the closed ones at $baseline.
SELECT DISTINCT s.school_id, s.class_id, e."role" AS role, e."userSourcedId" AS person
FROM "enrollments_at"($load) e JOIN schedule s ON s.baseline = $baseline AND s.what IN ('opened', 'moved') AND s.class_id = e."classSourcedId"
WHERE e."role" IN ('student', 'teacher')
UNION
SELECT s.school_id, s.class_id, e."role", coalesce(u.new_id, e."userSourcedId")
FROM "enrollments_at"($baseline) e JOIN schedule s ON s.baseline = $baseline AND s.what = 'closed' AND s.class_id = e."classSourcedId"
LEFT JOIN crosswalk u ON u.baseline = $baseline AND u.file = 'users' AND u.verdict = 'proposed' AND u.old_id = e."userSourcedId"
WHERE e."role" IN ('student', 'teacher')
