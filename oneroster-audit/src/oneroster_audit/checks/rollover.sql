-- What needs a fix before the new school year ($new_year): one row for each line of the rollover, school and id. Which of them
-- count, and in which season they are asked, is decided in rollover.py. $is_late: the old year ended more than 14 days ago.
-- Dates may reach over the terms of the class, as those of teachers do, but not into another year.
WITH
  fresh AS MATERIALIZED (SELECT * FROM rollover_classes WHERE is_there AND is_new),
  seats AS MATERIALIZED (
    SELECT e."classSourcedId" AS id, count(*) FILTER (e."role" = 'student') AS students, count(*) FILTER (e."role" = 'teacher') AS teachers
    FROM "enrollments_at"($load) e SEMI JOIN fresh f ON f.id = e."classSourcedId" GROUP BY 1),
  siblings AS (
    SELECT id, parent, starts, lag(ends) OVER (PARTITION BY parent, kind ORDER BY starts, ends) AS last_end
    FROM rollover_sessions WHERE is_there AND year = $new_year AND parent IS NOT NULL),
  faulty AS (
    SELECT s.id FROM rollover_sessions s LEFT JOIN rollover_sessions p ON p.id = s.parent LEFT JOIN siblings b ON b.id = s.id
    WHERE s.is_there AND s.year = $new_year
      AND (s.starts IS NULL OR s.ends IS NULL OR s.ends <= s.starts OR s.starts < p.starts OR s.ends > p.ends + 1
           OR s.is_in_two OR s.is_circle OR b.starts > b.last_end + 31)),
  used AS (
    SELECT DISTINCT f.school, a.node FROM (SELECT school, unnest(terms) AS term FROM fresh) f
    JOIN (SELECT id, unnest(above) AS node FROM rollover_sessions) a ON a.id = f.term),
  offered AS (
    SELECT DISTINCT f.school, f.course, coalesce(nullif(trim(c."courseCode"), ''), f.course) AS code FROM fresh f LEFT JOIN "courses_at"($load) c ON c."sourcedId" = f.course),
  offered_before AS (
    SELECT DISTINCT k.school, k.course, coalesce(c.code, k.course) AS code FROM rollover_classes k
    LEFT JOIN (SELECT "sourcedId" AS id, max_by(nullif(trim("courseCode"), ''), _sdc_first_load) AS code FROM "courses_versions"($load) GROUP BY 1) c ON c.id = k.course
    WHERE k.is_old AND k.course IS NOT NULL)
SELECT 'sessions' AS line, u.school, u.node AS id FROM used u JOIN faulty f ON f.id = u.node
UNION ALL
SELECT 'courses', b.school, b.course FROM offered_before b
  WHERE NOT EXISTS (SELECT 1 FROM offered o WHERE o.school = b.school AND (o.course = b.course OR o.code = b.code))
UNION ALL
SELECT 'no-term', school, id FROM rollover_classes WHERE is_there AND NOT has_term
UNION ALL
SELECT 'both-years', school, id FROM rollover_classes WHERE is_there AND is_old AND is_new
UNION ALL
SELECT 'still-open', school, id FROM rollover_classes WHERE is_there AND is_old AND NOT is_new AND $is_late
UNION ALL
SELECT 'no-teacher', f.school, f.id FROM fresh f LEFT JOIN seats s ON s.id = f.id WHERE coalesce(s.teachers, 0) = 0
UNION ALL
SELECT 'no-students', f.school, f.id FROM fresh f LEFT JOIN seats s ON s.id = f.id WHERE coalesce(s.students, 0) = 0
UNION ALL
SELECT 'dates', f.school, e."sourcedId" FROM "enrollments_at"($load) e JOIN fresh f ON f.id = e."classSourcedId"
  WHERE e."beginDate" < coalesce($old_end::DATE, f.starts) OR e."beginDate" > f.ends OR e."endDate" < f.starts
    OR e."endDate" > 1 + (SELECT max(ends) FROM rollover_sessions WHERE year = $new_year)
UNION ALL
SELECT 'students', school, person FROM rollover_pupils WHERE is_gone AND is_below
UNION ALL
SELECT 'grades', school, person FROM rollover_pupils WHERE is_same
UNION ALL
SELECT 'not-begun', school, id FROM rollover_classes WHERE is_there AND is_old AND NOT is_new
UNION ALL
SELECT 'circle', '', id FROM rollover_sessions WHERE is_there AND is_circle
