-- Persons who came back under another sourcedId: the old id, the new one, and the last load that had the old one.
CREATE TABLE gone AS
SELECT * FROM users_delta WHERE id NOT IN (SELECT id FROM users_delta WHERE stands(first, ended, $added))
QUALIFY row_number() OVER (PARTITION BY id ORDER BY first DESC) = 1;

CREATE TABLE came AS
SELECT * REPLACE (since AS first) FROM (SELECT *, min(first) OVER (PARTITION BY id) AS since FROM users_delta)
WHERE stands(first, ended, $added) AND since > $oldest;

CREATE MACRO keys_of(identifier, umi, username, email, ids) AS list_concat(
  [{'kind': 'identifier', 'value': lower(identifier)}, {'kind': 'userMasterIdentifier', 'value': lower(umi)},
   {'kind': 'username', 'value': lower(username)}, {'kind': 'email', 'value': lower(email)}],
  list_transform(coalesce(ids, []), lambda i: {'kind': 'userIds ' || coalesce(i.type, ''), 'value': lower(i.identifier)})
);

-- What both sides have, and each of them once: a key that several persons share says nothing.
CREATE TABLE keys AS
WITH sides AS (
  SELECT 'old' AS side, id, unnest(keys_of(identifier, "userMasterIdentifier", username, email, "userIds")) AS pair FROM gone
  UNION ALL
  SELECT 'new', id, unnest(keys_of(identifier, "userMasterIdentifier", username, email, "userIds")) FROM came
)
SELECT pair.kind AS kind, any_value(id) FILTER (side = 'old') AS old, any_value(id) FILTER (side = 'new') AS new
FROM sides WHERE pair.value IS NOT NULL
GROUP BY pair HAVING count(*) FILTER (side = 'old') = 1 AND count(*) FILTER (side = 'new') = 1;

-- A row of the same id that names another person now is the strongest sign, and needs no key.
CREATE TABLE pairs AS
WITH links AS (
  SELECT DISTINCT l.old, l.new, 2 AS strength FROM handed_over l JOIN gone o ON o.id = l.old JOIN came n ON n.id = l.new
  WHERE n.first >= o.ended
  UNION ALL
  SELECT DISTINCT k.old, k.new, 1 FROM keys k JOIN gone o ON o.id = k.old JOIN came n ON n.id = k.new
  WHERE n.first >= o.ended AND coalesce(lower(o.identifier) = lower(n.identifier), true)
  AND (k.kind NOT IN ('username', 'email') OR lower(o."familyName") = lower(n."familyName")
    OR lower(o."givenName") = lower(n."givenName"))
),
best AS (
  SELECT old, new FROM (SELECT old, new, max(strength) AS strength FROM links GROUP BY ALL)
  QUALIFY strength = max(strength) OVER (PARTITION BY old) AND strength = max(strength) OVER (PARTITION BY new)
)
SELECT b.old, b.new, o.ended - 1 AS k FROM best b JOIN gone o ON o.id = b.old
QUALIFY count(*) OVER (PARTITION BY b.old) = 1 AND count(*) OVER (PARTITION BY b.new) = 1
