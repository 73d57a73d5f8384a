-- Rows that a registrar would want to look at, as of $load: check, school, id.
WITH
  seats AS MATERIALIZED (SELECT "classSourcedId" AS class_id, "role", count(*) AS n FROM "enrollments_at"($load) GROUP BY ALL),
  held_roles AS (
    SELECT "userSourcedId" AS person, coalesce("orgSourcedId", '') AS school, "role" FROM "roles_at"($load)
    UNION
    SELECT u."sourcedId", coalesce(o.org, ''), u."role"
    FROM "users_at"($load) u LEFT JOIN (SELECT "sourcedId", unnest("orgSourcedIds") AS org FROM "users_at"($load)) o
      ON o."sourcedId" = u."sourcedId"
    WHERE u."role" IS NOT NULL AND u."sourcedId" NOT IN (SELECT "userSourcedId" FROM "roles_at"($load) WHERE "userSourcedId" IS NOT NULL)),
  students AS (SELECT DISTINCT person, school FROM held_roles WHERE "role" = 'student'),
  class_of AS (SELECT "sourcedId" AS class_id, coalesce("schoolSourcedId", '') AS school FROM "classes_at"($load))
SELECT 'sanity.students-without-enrollment' AS check_id, school, person AS id FROM students
  WHERE NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT "userSourcedId" AS person FROM "enrollments_at"($load) WHERE "role" = 'student') e
                    WHERE e.person = students.person)
UNION ALL
SELECT 'sanity.students-without-grade', school, person FROM students
  JOIN "users_at"($load) u ON u."sourcedId" = person WHERE coalesce(len(u."grades"), 0) = 0
UNION ALL
SELECT 'sanity.classes-without-students', school, class_id FROM class_of
  WHERE NOT EXISTS (SELECT 1 FROM seats e WHERE e.class_id = class_of.class_id AND e."role" = 'student')
UNION ALL
SELECT 'sanity.classes-without-teacher', school, class_id FROM class_of
  WHERE NOT EXISTS (SELECT 1 FROM seats e WHERE e.class_id = class_of.class_id AND e."role" = 'teacher')
UNION ALL
SELECT 'sanity.courses-without-classes', coalesce(c."orgSourcedId", ''), c."sourcedId" FROM "courses_at"($load) c
  WHERE NOT EXISTS (SELECT 1 FROM "classes_at"($load) k WHERE k."courseSourcedId" = c."sourcedId")
UNION ALL
SELECT 'sanity.two-roles', s.school, s.person FROM students s
  WHERE EXISTS (SELECT 1 FROM held_roles h WHERE h.person = s.person
                AND h."role" IN ('teacher', 'aide', 'administrator', 'principal', 'districtAdministrator', 'siteAdministrator', 'systemAdministrator'))
UNION ALL
SELECT 'sanity.large-class', c.school, c.class_id FROM class_of c
  JOIN (SELECT class_id FROM seats WHERE "role" = 'student' AND n > 50) e USING (class_id)
UNION ALL
SELECT 'sanity.many-classes', c.school, e.person FROM (
    SELECT "userSourcedId" AS person, min("classSourcedId") AS class_id FROM "enrollments_at"($load) WHERE "role" = 'teacher'
    GROUP BY 1 HAVING count(DISTINCT "classSourcedId") > 50) e
  JOIN class_of c USING (class_id)
