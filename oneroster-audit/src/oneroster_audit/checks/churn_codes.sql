-- Orgs, sessions and courses that came back under another id between $baseline and $load: the same code, parent and
-- dates, where only one row of each load has them. Parents count by their code, since they may have new ids, too.
-- The title of a course or the name of an org says nothing; a session has no other code than its title.
WITH
  org AS (
    SELECT 'old' AS side, "sourcedId" AS id, "type", nullif(trim("identifier"), '') AS code, "parentSourcedId" AS parent FROM "orgs_at"($baseline)
    UNION ALL
    SELECT 'new', "sourcedId", "type", nullif(trim("identifier"), ''), "parentSourcedId" FROM "orgs_at"($load)),
  session AS (
    SELECT 'old' AS side, "sourcedId" AS id, "type", "title", "startDate", "endDate", "parentSourcedId" AS parent FROM "academicSessions_at"($baseline)
    UNION ALL
    SELECT 'new', "sourcedId", "type", "title", "startDate", "endDate", "parentSourcedId" FROM "academicSessions_at"($load)),
  course AS (
    SELECT 'old' AS side, "sourcedId" AS id, nullif(trim("courseCode"), '') AS code, "orgSourcedId" AS org, "schoolYearSourcedId" AS year FROM "courses_at"($baseline)
    UNION ALL
    SELECT 'new', "sourcedId", nullif(trim("courseCode"), ''), "orgSourcedId", "schoolYearSourcedId" FROM "courses_at"($load)),
  org_code AS (SELECT side, id, coalesce("type" || '/' || code, id) AS code FROM org),
  session_code AS (SELECT side, id, coalesce("type" || '/' || "title" || '/' || "startDate" || '/' || "endDate", id) AS code FROM session),
  keyed AS (
    SELECT 'orgs' AS file, o.side, o.id, [o."type", o.code, coalesce(p.code, o.parent, '')] AS key, NULL AS school, 'identifier+parent' AS rules
      FROM org o LEFT JOIN org_code p ON p.side = o.side AND p.id = o.parent WHERE o.code IS NOT NULL
    UNION ALL
    SELECT 'academicSessions', s.side, s.id, [k.code, coalesce(p.code, s.parent, '')], NULL, 'title+parent+dates'
      FROM session s JOIN session_code k ON k.side = s.side AND k.id = s.id LEFT JOIN session_code p ON p.side = s.side AND p.id = s.parent
      WHERE s."startDate" IS NOT NULL AND s."endDate" IS NOT NULL
    UNION ALL
    SELECT 'courses', c.side, c.id, [c.code, coalesce(o.code, c.org, ''), coalesce(y.code, c.year, '')], c.org, 'courseCode+org+year'
      FROM course c LEFT JOIN org_code o ON o.side = c.side AND o.id = c.org LEFT JOIN session_code y ON y.side = c.side AND y.id = c.year
      WHERE c.code IS NOT NULL),
  pairs AS (
    SELECT file, rules, min(id) FILTER (side = 'old') AS old_id, min(id) FILTER (side = 'new') AS new_id, min(school) FILTER (side = 'old') AS school
    FROM keyed GROUP BY file, rules, key
    HAVING count(*) FILTER (side = 'old') = 1 AND count(*) FILTER (side = 'new') = 1)
SELECT $baseline AS baseline, file, old_id, new_id, [rules] AS rules, NULL::DOUBLE AS overlap, 'proposed' AS verdict,
  CASE WHEN school IS NULL THEN [] ELSE [school] END AS schools
FROM pairs p
WHERE old_id <> new_id
  AND NOT EXISTS (SELECT 1 FROM keyed k WHERE k.file = p.file AND k.side = 'new' AND k.id = p.old_id)
  AND NOT EXISTS (SELECT 1 FROM keyed k WHERE k.file = p.file AND k.side = 'old' AND k.id = p.new_id)
