-- What became of each class between $baseline and $load: opened, closed, moved (term, period, room, course, teacher), or only
-- under a new id. A class with a new id is the same class, and so is a teacher with one. An enrollment of a teacher whose
-- end date has passed may vanish ($today): that moves nobody.
WITH
  map AS MATERIALIZED (SELECT file, old_id, new_id FROM crosswalk WHERE baseline = $baseline AND verdict = 'proposed'),
  old_terms AS (
    SELECT id, list_sort(list(DISTINCT coalesce(m.new_id, term))) AS terms
    FROM (SELECT "sourcedId" AS id, unnest("termSourcedIds") AS term FROM "classes_at"($baseline))
    LEFT JOIN map m ON m.file = 'academicSessions' AND m.old_id = term GROUP BY id),
  old_classes AS MATERIALIZED (
    SELECT coalesce(m.new_id, o."sourcedId") AS id, o."sourcedId" AS old_id, coalesce(c.new_id, o."courseSourcedId") AS course,
      coalesce(s.new_id, o."schoolSourcedId") AS school, o."location" AS room, list_sort(list_distinct(coalesce(o."periods", []))) AS periods,
      coalesce(t.terms, []) AS terms
    FROM "classes_at"($baseline) o LEFT JOIN old_terms t ON t.id = o."sourcedId"
    LEFT JOIN map m ON m.file = 'classes' AND m.old_id = o."sourcedId"
    LEFT JOIN map c ON c.file = 'courses' AND c.old_id = o."courseSourcedId"
    LEFT JOIN map s ON s.file = 'orgs' AND s.old_id = o."schoolSourcedId"),
  new_classes AS MATERIALIZED (
    SELECT "sourcedId" AS id, "courseSourcedId" AS course, "schoolSourcedId" AS school, "location" AS room,
      list_sort(list_distinct(coalesce("periods", []))) AS periods, list_sort(list_distinct(coalesce("termSourcedIds", []))) AS terms
    FROM "classes_at"($load)),
  old_teachers AS (
    SELECT coalesce(m.new_id, e."classSourcedId") AS id, coalesce(u.new_id, e."userSourcedId") AS person, bool_and(coalesce(e."endDate" <= $today, false)) AS is_over
    FROM "enrollments_at"($baseline) e
    LEFT JOIN map m ON m.file = 'classes' AND m.old_id = e."classSourcedId"
    LEFT JOIN map u ON u.file = 'users' AND u.old_id = e."userSourcedId"
    WHERE e."role" = 'teacher' GROUP BY ALL),
  new_teachers AS (SELECT DISTINCT "classSourcedId" AS id, "userSourcedId" AS person FROM "enrollments_at"($load) WHERE "role" = 'teacher'),
  staff AS (
    SELECT id, list(person ORDER BY person) FILTER (side = 'out') AS teachers_out, list(person ORDER BY person) FILTER (side = 'in') AS teachers_in
    FROM (SELECT id, person, 'out' AS side FROM (SELECT id, person FROM old_teachers WHERE NOT is_over EXCEPT SELECT id, person FROM new_teachers)
          UNION ALL
          SELECT id, person, 'in' FROM (SELECT id, person FROM new_teachers EXCEPT SELECT id, person FROM old_teachers))
    GROUP BY id),
  compared AS (
    SELECT coalesce(n.id, o.id) AS class_id, coalesce(n.school, o.school, '') AS school_id,
      CASE WHEN o.old_id <> n.id THEN o.old_id END AS old_id,
      CASE WHEN o.id IS NULL THEN 'opened' WHEN n.id IS NULL THEN 'closed' END AS what,
      o.terms IS DISTINCT FROM n.terms AS term, o.periods IS DISTINCT FROM n.periods AS period, o.room IS DISTINCT FROM n.room AS room,
      o.course IS DISTINCT FROM n.course AS course
    FROM old_classes o FULL JOIN new_classes n ON n.id = o.id),
  judged AS MATERIALIZED (
    SELECT c.class_id, c.school_id, c.old_id,
      coalesce(c.what, CASE WHEN c.term OR c.period OR c.room OR c.course OR t.id IS NOT NULL THEN 'moved' WHEN c.old_id IS NOT NULL THEN 'new id' END) AS what,
      c.what IS NULL AND c.term AS term, c.what IS NULL AND c.period AS period, c.what IS NULL AND c.room AS room,
      c.what IS NULL AND c.course AS course, c.what IS NULL AND t.id IS NOT NULL AS teacher,
      coalesce(t.teachers_out, []) AS teachers_out, coalesce(t.teachers_in, []) AS teachers_in
    FROM compared c LEFT JOIN staff t ON t.id = c.class_id),
  old_students AS (
    SELECT DISTINCT coalesce(m.new_id, e."classSourcedId") AS id, coalesce(u.new_id, e."userSourcedId") AS person FROM "enrollments_at"($baseline) e
    LEFT JOIN map m ON m.file = 'classes' AND m.old_id = e."classSourcedId"
    LEFT JOIN map u ON u.file = 'users' AND u.old_id = e."userSourcedId"
    WHERE e."role" = 'student' AND coalesce(m.new_id, e."classSourcedId") IN (SELECT class_id FROM judged WHERE what IS NOT NULL)),
  new_students AS (
    SELECT DISTINCT "classSourcedId" AS id, "userSourcedId" AS person FROM "enrollments_at"($load)
    WHERE "role" = 'student' AND "classSourcedId" IN (SELECT class_id FROM judged WHERE what IS NOT NULL)),
  students AS (
    SELECT coalesce(o.id, n.id) AS id, count(*) FILTER (o.id IS NULL) AS students_in, count(*) FILTER (n.id IS NULL) AS students_out
    FROM old_students o FULL JOIN new_students n ON n.id = o.id AND n.person = o.person GROUP BY 1)
SELECT $baseline AS baseline, j.*, coalesce(s.students_in, 0) AS students_in, coalesce(s.students_out, 0) AS students_out
FROM judged j LEFT JOIN students s ON s.id = j.class_id WHERE j.what IS NOT NULL
