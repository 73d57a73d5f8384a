-- The classes that $load has or an earlier load had, each with the span of its terms and whether it is of the new year
-- ($new_year) or of the old one ($old_year).
WITH
  known AS MATERIALIZED (
    SELECT "sourcedId" AS id, max_by("schoolSourcedId", _sdc_first_load) AS school, max_by("courseSourcedId", _sdc_first_load) AS course,
      max_by("termSourcedIds", _sdc_first_load) AS terms, max_by(_sdc_ended_load IS NULL OR _sdc_ended_load > $load, _sdc_first_load) AS is_there
    FROM "classes_versions"($load) GROUP BY 1),
  spans AS (
    SELECT k.id, min(s.starts) AS starts, max(s.ends) AS ends, coalesce(bool_or(s.year = $new_year), false) AS is_new,
      coalesce(bool_or(s.year = $old_year), false) AS is_old
    FROM (SELECT id, unnest(terms) AS term FROM known) k JOIN rollover_sessions s ON s.id = k.term GROUP BY 1)
SELECT k.id, coalesce(k.school, '') AS school, k.course, k.terms, k.is_there, s.id IS NOT NULL AS has_term, s.starts, s.ends,
  coalesce(s.is_new, false) AS is_new, coalesce(s.is_old, false) AS is_old
FROM known k LEFT JOIN spans s ON s.id = k.id
