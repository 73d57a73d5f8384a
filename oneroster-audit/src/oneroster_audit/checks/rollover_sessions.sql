-- The school year of each session that $load has or an earlier load had: that of the schoolYear above it (10 steps at most; of two
-- the later), else its own schoolYear (the last number in it), else the year in which it ends. `above` are the sessions over it.
WITH RECURSIVE
  session AS MATERIALIZED (
    SELECT "sourcedId" AS id, max_by("type", _sdc_first_load) AS kind, max_by("parentSourcedId", _sdc_first_load) AS parent,
      max_by("childSourcedIds", _sdc_first_load) AS children, max_by("startDate", _sdc_first_load) AS starts, max_by("endDate", _sdc_first_load) AS ends,
      max_by("schoolYear", _sdc_first_load) AS words, max_by(_sdc_ended_load IS NULL OR _sdc_ended_load > $load, _sdc_first_load) AS is_there
    FROM "academicSessions_versions"($load) GROUP BY 1),
  numbered AS MATERIALIZED (
    SELECT *, try_cast(regexp_extract(words, '([0-9]+)[^0-9]*$', 1) AS INTEGER) AS number FROM session),
  yeared AS MATERIALIZED (
    SELECT * EXCLUDE (number), CASE WHEN number < 100 THEN 2000 + number ELSE number END AS number FROM numbered),
  edge AS MATERIALIZED (
    SELECT id, parent FROM session WHERE parent IN (SELECT id FROM session)
    UNION
    SELECT child, id FROM (SELECT id, unnest(children) AS child FROM session) WHERE child IN (SELECT id FROM session)),
  up AS (
    SELECT id, id AS node, 0 AS depth FROM session
    UNION
    SELECT up.id, e.parent, depth + 1 FROM up JOIN edge e ON e.id = up.node WHERE depth < 10)
SELECT s.id, s.is_there, s.kind, s.starts, s.ends, s.parent,
  coalesce(max(coalesce(y.number, year(y.ends))) FILTER (y.kind = 'schoolYear'), s.number, year(s.ends)) AS year,
  count(DISTINCT coalesce(y.number, year(y.ends))) FILTER (y.kind = 'schoolYear') > 1 AS is_in_two,
  bool_or(up.node = s.id AND up.depth > 0) AS is_circle,
  list(DISTINCT up.node) AS above
FROM yeared s JOIN up ON up.id = s.id JOIN yeared y ON y.id = up.node
GROUP BY s.id, s.is_there, s.kind, s.starts, s.ends, s.parent, s.number
