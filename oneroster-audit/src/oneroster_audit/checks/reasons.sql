-- Why student enrollments left a school between $baseline and $load: exactly one reason for each, the first that fits,
-- so the reasons add up to what the cells removed. The first two are read from the proposals of `crosswalk`, which may be empty.
WITH
  renamed AS MATERIALIZED (
    SELECT DISTINCT file, old_id FROM crosswalk WHERE baseline = $baseline AND verdict = 'proposed' AND file IN ('classes', 'users')),
  gone AS MATERIALIZED (
    SELECT o."sourcedId" AS id, coalesce(o."schoolSourcedId", '') AS school, o."userSourcedId" AS person, o."classSourcedId" AS class_id
    FROM "enrollments_at"($baseline) o LEFT JOIN "enrollments_at"($load) n ON n."sourcedId" = o."sourcedId"
    WHERE o._sdc_ended_load <= $load AND o."role" = 'student'
      AND (n."sourcedId" IS NULL OR n."role" IS DISTINCT FROM 'student'
           OR coalesce(n."schoolSourcedId", '') <> coalesce(o."schoolSourcedId", ''))),
  stands AS MATERIALIZED (
    SELECT DISTINCT e."userSourcedId" AS person, coalesce(e."schoolSourcedId", '') AS school, c."courseSourcedId" AS course
    FROM "enrollments_at"($load) e LEFT JOIN "classes_at"($load) c ON c."sourcedId" = e."classSourcedId"
    WHERE e."role" = 'student' AND e."userSourcedId" IN (SELECT person FROM gone)),
  at_school AS (SELECT DISTINCT person, school FROM stands),
  anywhere AS (SELECT DISTINCT person FROM stands)
SELECT g.school, g.id, g.person,
  CASE
    WHEN x.old_id IS NOT NULL THEN 'class has a new id'
    WHEN y.old_id IS NOT NULL THEN 'person has a new id'
    WHEN u."sourcedId" IS NULL THEN 'left the district'
    WHEN a.person IS NOT NULL AND h.person IS NULL THEN 'moved to another school'
    WHEN s.person IS NOT NULL THEN 'another section of the course'
    WHEN k."sourcedId" IS NULL THEN 'class closed'
    WHEN a.person IS NULL THEN 'no class left, person still there'
    ELSE 'dropped the class'
  END AS reason
FROM gone g
LEFT JOIN "users_at"($load) u ON u."sourcedId" = g.person
LEFT JOIN anywhere a ON a.person = g.person
LEFT JOIN at_school h ON h.person = g.person AND h.school = g.school
LEFT JOIN "classes_at"($baseline) o ON o."sourcedId" = g.class_id
LEFT JOIN stands s ON s.person = g.person AND s.school = g.school AND s.course = o."courseSourcedId"
LEFT JOIN "classes_at"($load) k ON k."sourcedId" = g.class_id
LEFT JOIN renamed x ON x.file = 'classes' AND x.old_id = g.class_id
LEFT JOIN renamed y ON y.file = 'users' AND y.old_id = g.person
