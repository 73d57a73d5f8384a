-- Classes that came back under another id between $baseline and $load: same course, school and terms, and rosters that
-- overlap by 0.8 (students; those with new ids count as the same person). Who left the school or came to it in between says
-- nothing about its classes and is left out, if half of all are the same nevertheless, or the code is. One to one, by the best rank on
-- both sides; where two rank alike, nothing is guessed. The title never decides.
WITH
  map AS MATERIALIZED (SELECT file, old_id, new_id FROM crosswalk WHERE baseline = $baseline AND verdict = 'proposed'),
  gone AS MATERIALIZED (
    SELECT o."sourcedId" AS id, coalesce(c.new_id, o."courseSourcedId") AS course, coalesce(s.new_id, o."schoolSourcedId") AS school, o."schoolSourcedId" AS old_school,
      nullif(trim(o."classCode"), '') AS code, list_sort(o."periods") AS periods, o."title" AS title, o."termSourcedIds" AS terms
    FROM "classes_at"($baseline) o ANTI JOIN (SELECT "sourcedId" FROM "classes_at"($load) WHERE _sdc_first_load > $baseline) n ON n."sourcedId" = o."sourcedId"
    LEFT JOIN map c ON c.file = 'courses' AND c.old_id = o."courseSourcedId"
    LEFT JOIN map s ON s.file = 'orgs' AND s.old_id = o."schoolSourcedId"
    WHERE o._sdc_ended_load <= $load),
  fresh AS MATERIALIZED (
    SELECT n."sourcedId" AS id, n."courseSourcedId" AS course, n."schoolSourcedId" AS school,
      nullif(trim(n."classCode"), '') AS code, list_sort(n."periods") AS periods, n."title" AS title, list_sort(list_distinct(coalesce(n."termSourcedIds", []))) AS terms
    FROM "classes_at"($load) n ANTI JOIN (SELECT "sourcedId" FROM "classes_at"($baseline) WHERE _sdc_ended_load <= $load) o ON o."sourcedId" = n."sourcedId"
    WHERE n._sdc_first_load > $baseline),
  terms_of AS (
    SELECT id, list_sort(list(DISTINCT coalesce(m.new_id, term))) AS terms
    FROM (SELECT id, unnest(terms) AS term FROM gone) LEFT JOIN map m ON m.file = 'academicSessions' AND m.old_id = term GROUP BY id),
  was AS MATERIALIZED (SELECT g.* REPLACE (coalesce(t.terms, []) AS terms) FROM gone g LEFT JOIN terms_of t USING (id) WHERE course IS NOT NULL AND school IS NOT NULL),
  -- Only classes that have a possible partner need their rosters.
  places AS MATERIALIZED (
    SELECT row_number() OVER () AS place, course, school, terms FROM
      (SELECT course, school, terms FROM was INTERSECT SELECT course, school, terms FROM fresh)),
  old_classes AS MATERIALIZED (SELECT w.*, place FROM was w JOIN places USING (course, school, terms)),
  new_classes AS MATERIALIZED (SELECT f.*, place FROM fresh f JOIN places USING (course, school, terms)),
  old_roster AS MATERIALIZED (
    SELECT DISTINCT c.place, c.id, coalesce(m.new_id, e."userSourcedId") AS person
    FROM "enrollments_at"($baseline) e JOIN old_classes c ON c.id = e."classSourcedId"
    LEFT JOIN map m ON m.file = 'users' AND m.old_id = e."userSourcedId" WHERE e."role" = 'student'),
  new_roster AS MATERIALIZED (
    SELECT DISTINCT c.place, c.id, e."userSourcedId" AS person
    FROM "enrollments_at"($load) e JOIN new_classes c ON c.id = e."classSourcedId" WHERE e."role" = 'student'),
  at_old AS (
    SELECT DISTINCT coalesce(s.new_id, e."schoolSourcedId") AS school, coalesce(m.new_id, e."userSourcedId") AS person FROM "enrollments_at"($baseline) e
    LEFT JOIN map m ON m.file = 'users' AND m.old_id = e."userSourcedId" LEFT JOIN map s ON s.file = 'orgs' AND s.old_id = e."schoolSourcedId"
    WHERE e."role" = 'student' AND coalesce(m.new_id, e."userSourcedId") IN (SELECT person FROM new_roster)),
  at_new AS (
    SELECT DISTINCT "schoolSourcedId" AS school, "userSourcedId" AS person FROM "enrollments_at"($load)
    WHERE "role" = 'student' AND "userSourcedId" IN (SELECT person FROM old_roster)),
  common AS (
    SELECT o.id AS old_id, n.id AS new_id, count(*) AS persons FROM old_roster o JOIN new_roster n ON n.place = o.place AND n.person = o.person GROUP BY ALL
    UNION ALL
    SELECT o.id, n.id, 0 FROM old_classes o JOIN new_classes n ON n.place = o.place AND n.code = o.code),
  old_sizes AS (
    SELECT r.id, count(*) AS persons, count(a.person) AS staying FROM old_roster r JOIN places p USING (place)
    LEFT JOIN at_new a ON a.school = p.school AND a.person = r.person GROUP BY 1),
  new_sizes AS (
    SELECT r.id, count(*) AS persons, count(a.person) AS staying FROM new_roster r JOIN places p USING (place)
    LEFT JOIN at_old a ON a.school = p.school AND a.person = r.person GROUP BY 1),
  scored AS (
    SELECT c.old_id, c.new_id, o.old_school, coalesce(o.code = n.code, false) AS is_same_code, coalesce(o.periods = n.periods, false) AS is_same_periods,
      coalesce(o.title = n.title, false) AS is_same_title,
      c.persons / nullif(coalesce(a.staying, 0) + coalesce(b.staying, 0) - c.persons, 0) AS overlap,
      c.persons / nullif(coalesce(a.persons, 0) + coalesce(b.persons, 0) - c.persons, 0) AS whole_overlap
    FROM (SELECT old_id, new_id, max(persons) AS persons FROM common GROUP BY ALL) c
    JOIN old_classes o ON o.id = c.old_id JOIN new_classes n ON n.id = c.new_id
    LEFT JOIN old_sizes a ON a.id = c.old_id LEFT JOIN new_sizes b ON b.id = c.new_id),
  ranked AS (
    SELECT *,
      rank() OVER (PARTITION BY old_id ORDER BY overlap DESC NULLS LAST, is_same_code DESC, is_same_periods DESC, is_same_title DESC) AS rank_of_old,
      rank() OVER (PARTITION BY new_id ORDER BY overlap DESC NULLS LAST, is_same_code DESC, is_same_periods DESC, is_same_title DESC) AS rank_of_new
    FROM scored),
  best AS (
    SELECT *, count(*) OVER (PARTITION BY old_id) > 1 OR count(*) OVER (PARTITION BY new_id) > 1 AS is_tied
    FROM ranked WHERE rank_of_old = 1 AND rank_of_new = 1)
SELECT $baseline AS baseline, 'classes' AS file, old_id, new_id,
  list_filter(['course+school+terms', CASE WHEN overlap >= 0.8 THEN 'roster' END, CASE WHEN is_same_code THEN 'classCode' END,
    CASE WHEN is_same_periods THEN 'periods' END], lambda r: r IS NOT NULL) AS rules,
  overlap,
  CASE
    WHEN overlap < 0.8 OR (whole_overlap < 0.5 AND NOT is_same_code) THEN 'weak'
    WHEN overlap IS NULL AND (whole_overlap IS NOT NULL OR NOT is_same_code) THEN 'weak'
    WHEN is_tied THEN 'conflict'
    ELSE 'proposed'  -- without a roster on both sides, the code decides
  END AS verdict,
  [old_school] AS schools
FROM best
