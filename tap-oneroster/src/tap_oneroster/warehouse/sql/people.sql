-- Persons who are not the same at every load: the orgs they belong to, and as of which load their row is released.
CREATE TABLE pupils AS
SELECT DISTINCT u.agent AS id, u.pupil, m.k
FROM (SELECT "sourcedId" AS pupil, first, ended, unnest("agentSourcedIds") AS agent FROM users_versions) u
SEMI JOIN persons p ON p.id = u.agent
JOIN moments m ON stands(u.first, u.ended, m.k);

CREATE TABLE known AS SELECT id FROM persons UNION SELECT pupil FROM pupils;

CREATE TABLE belongs AS
SELECT DISTINCT id, k, school FROM (
  SELECT r."userSourcedId" AS id, m.k, r."orgSourcedId" AS school
  FROM roles_versions r SEMI JOIN known n ON n.id = r."userSourcedId" JOIN moments m ON stands(r.first, r.ended, m.k)
  UNION ALL
  SELECT e."userSourcedId", m.k, e."schoolSourcedId"
  FROM enrollments_versions e SEMI JOIN known n ON n.id = e."userSourcedId" JOIN moments m ON stands(e.first, e.ended, m.k)
  UNION ALL
  SELECT u."sourcedId", m.k, unnest(u."orgSourcedIds")
  FROM users_versions u SEMI JOIN known n ON n.id = u."sourcedId" JOIN moments m ON stands(u.first, u.ended, m.k)
) WHERE school IS NOT NULL;

-- A guardian without a role belongs where the children do.
INSERT INTO belongs SELECT DISTINCT p.id, p.k, b.school FROM pupils p JOIN belongs b ON b.id = p.pupil AND b.k = p.k
ANTI JOIN belongs o ON o.id = p.id AND o.k = p.k;

-- Who belongs to a school that is not held, or to none, is released as of the newest load. Who belongs to held schools
-- only stays as of theirs; who is new there waits. The move of a person into a held school waits, too.
CREATE TABLE first_decisions AS
WITH there AS (
  SELECT p.id, m.k FROM users_versions u JOIN persons p ON p.id = u."sourcedId" JOIN moments m ON stands(u.first, u.ended, m.k)
),
newest AS (
  SELECT b.id, bool_or(h.school IS NULL) AS is_open FROM belongs b LEFT JOIN held h ON h.school = b.school
  WHERE b.k = $newest GROUP BY 1
),
base AS (
  SELECT b.id, max(h.load) AS k FROM belongs b JOIN held h ON h.school = b.school
  JOIN there t ON t.id = b.id AND t.k = h.load WHERE b.k IN (h.load, $newest) GROUP BY 1
),
added AS (
  SELECT t.id FROM there t LEFT JOIN belongs b ON b.id = t.id AND b.k = $added LEFT JOIN held h ON h.school = b.school
  WHERE t.k = $added GROUP BY 1 HAVING bool_or(h.additive) OR count(b.school) = 0
)
SELECT p.id, CASE
  WHEN t.id IS NOT NULL AND coalesce(n.is_open, true) THEN $newest
  WHEN b.k IS NOT NULL THEN b.k
  WHEN a.id IS NOT NULL THEN $added
END AS k
FROM persons p LEFT JOIN there t ON t.id = p.id AND t.k = $newest LEFT JOIN newest n ON n.id = p.id
LEFT JOIN base b ON b.id = p.id LEFT JOIN (SELECT id FROM added WHERE (SELECT bool_or(additive) FROM held)) a ON a.id = p.id
