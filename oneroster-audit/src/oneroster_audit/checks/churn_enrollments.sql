-- Enrollments that came back under another id between $baseline and $load: same class, user, role and begin, where classes and
-- users with a new id count as the same, and only one row of each load is like that.
WITH
  map AS MATERIALIZED (SELECT file, old_id, new_id FROM crosswalk WHERE baseline = $baseline AND verdict = 'proposed' AND file IN ('classes', 'users')),
  gone AS (
    SELECT o."sourcedId" AS id, coalesce(c.new_id, o."classSourcedId") AS class_id, coalesce(u.new_id, o."userSourcedId") AS person,
      o."role" AS role, o."beginDate" AS begins, coalesce(o."schoolSourcedId", '') AS school
    FROM "enrollments_at"($baseline) o ANTI JOIN (SELECT "sourcedId" FROM "enrollments_at"($load) WHERE _sdc_first_load > $baseline) n ON n."sourcedId" = o."sourcedId"
    LEFT JOIN map c ON c.file = 'classes' AND c.old_id = o."classSourcedId"
    LEFT JOIN map u ON u.file = 'users' AND u.old_id = o."userSourcedId"
    WHERE o._sdc_ended_load <= $load),
  fresh AS (
    SELECT n."sourcedId" AS id, n."classSourcedId" AS class_id, n."userSourcedId" AS person, n."role" AS role, n."beginDate" AS begins
    FROM "enrollments_at"($load) n ANTI JOIN (SELECT "sourcedId" FROM "enrollments_at"($baseline) WHERE _sdc_ended_load <= $load) o ON o."sourcedId" = n."sourcedId"
    WHERE n._sdc_first_load > $baseline)
SELECT $baseline AS baseline, 'enrollments' AS file, min(g.id) AS old_id, min(f.id) AS new_id, ['class+user+role+beginDate'] AS rules,
  NULL::DOUBLE AS overlap, 'proposed' AS verdict, [min(g.school)] AS schools
FROM gone g JOIN fresh f ON f.class_id = g.class_id AND f.person = g.person AND f.role = g.role AND f.begins IS NOT DISTINCT FROM g.begins
GROUP BY g.class_id, g.person, g.role, g.begins
HAVING count(DISTINCT g.id) = 1 AND count(DISTINCT f.id) = 1
