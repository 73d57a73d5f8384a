-- The pupils of the old year at each school, as they stood in the load before the school's first enrollments of the new
-- year: their grade then, whether they are still there, and whether their grade is the same.
WITH
  turn AS MATERIALIZED (
    SELECT c.school, min(e._sdc_first_load) - 1 AS load FROM "enrollments_versions"($load) e JOIN rollover_classes c ON c.id = e."classSourcedId"
    WHERE c.is_new AND e."role" = 'student' GROUP BY 1),
  pupils AS MATERIALIZED (
    SELECT DISTINCT c.school, t.load, e."userSourcedId" AS person
    FROM "enrollments_versions"($load) e JOIN rollover_classes c ON c.id = e."classSourcedId" AND c.is_old AND NOT c.is_new JOIN turn t ON t.school = c.school
    WHERE e."role" = 'student' AND e._sdc_first_load <= t.load AND (e._sdc_ended_load IS NULL OR e._sdc_ended_load > t.load)
      AND (e."endDate" IS NULL OR e."endDate" + 30 >= $old_end::DATE)),
  graded AS MATERIALIZED (
    SELECT p.school, p.person, u."grades" AS grades, grade_rank(u."grades"[1]) AS grade, nullif(trim(u."identifier"), '') AS number, u."username" AS login
    FROM pupils p JOIN "users_versions"($load) u ON u."sourcedId" = p.person AND u._sdc_first_load <= p.load AND (u._sdc_ended_load IS NULL OR u._sdc_ended_load > p.load)),
  back AS (
    SELECT DISTINCT c.school, e."userSourcedId" AS person FROM "enrollments_at"($load) e JOIN rollover_classes c ON c.id = e."classSourcedId"
    WHERE c.is_new AND e."role" = 'student')
SELECT g.school, g.person, g.grade < max(g.grade) OVER (PARTITION BY g.school) AS is_below,
  u."sourcedId" IS NULL AND NOT EXISTS (SELECT 1 FROM "users_at"($load) o WHERE trim(o."identifier") = g.number)
    AND NOT EXISTS (SELECT 1 FROM "users_at"($load) o WHERE o."username" = g.login) AS is_gone,
  b.person IS NOT NULL AND u."sourcedId" IS NOT NULL AS is_back,
  b.person IS NOT NULL AND u."grades" IS NOT DISTINCT FROM g.grades AS is_same
FROM graded g LEFT JOIN "users_at"($load) u ON u."sourcedId" = g.person
LEFT JOIN back b ON b.school = g.school AND b.person = g.person
