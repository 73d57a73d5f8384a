-- Persons who came back under another sourcedId: the old id, the new one, and the last load that had the old one.
CREATE TABLE spans AS
SELECT * REPLACE (since AS first) FROM (
  SELECT *, min(first) OVER w AS since, max(coalesce(ended, $added + 1)) OVER w AS until,
    row_number() OVER (PARTITION BY id ORDER BY first DESC) AS place
  FROM users_delta WINDOW w AS (PARTITION BY id)
) WHERE place = 1;

CREATE MACRO keys_of(identifier, umi, username, email, ids) AS list_concat(
  [{'kind': 'identifier', 'value': lower(identifier)}, {'kind': 'userMasterIdentifier', 'value': lower(umi)},
   {'kind': 'username', 'value': lower(username)}, {'kind': 'email', 'value': lower(email)}],
  list_transform(coalesce(ids, []), lambda i: {'kind': 'userIds ' || coalesce(i.type, ''), 'value': lower(i.identifier)})
);

CREATE TABLE keys AS
SELECT id, pair FROM (
  SELECT id, unnest(keys_of(identifier, "userMasterIdentifier", username, email, "userIds")) AS pair FROM spans
) WHERE pair.value IS NOT NULL AND EXISTS (SELECT 1 FROM spans WHERE first > $oldest) AND EXISTS (SELECT 1 FROM spans WHERE until <= $added);

-- A key that two persons have at the same time says nothing.
CREATE TABLE shared AS
SELECT DISTINCT a.pair FROM keys a JOIN keys b ON a.pair = b.pair AND a.id < b.id
JOIN spans x ON x.id = a.id JOIN spans y ON y.id = b.id WHERE x.first < y.until AND y.first < x.until
UNION
SELECT DISTINCT pair FROM (
  SELECT unnest(keys_of(identifier, "userMasterIdentifier", username, email, "userIds")) AS pair FROM users_versions
  WHERE first <= $oldest AND (ended IS NULL OR ended > $added)
) SEMI JOIN keys USING (pair);

-- A row of the same id that names another person now is the strongest sign, and needs no key.
CREATE TABLE links AS
SELECT DISTINCT l.old, l.new, 2 AS strength FROM handed_over l JOIN spans o ON o.id = l.old JOIN spans n ON n.id = l.new
WHERE n.first >= o.until
UNION ALL
SELECT DISTINCT o.id, n.id, 1 FROM keys a JOIN keys b ON a.pair = b.pair JOIN spans o ON o.id = a.id JOIN spans n ON n.id = b.id
ANTI JOIN shared s ON s.pair = a.pair
WHERE n.first >= o.until AND coalesce(lower(o.identifier) = lower(n.identifier), true)
AND (a.pair.kind NOT IN ('username', 'email') OR lower(o."familyName") = lower(n."familyName")
  OR lower(o."givenName") = lower(n."givenName"));

CREATE TABLE sure AS
WITH best AS (
  SELECT old, new FROM (SELECT old, new, max(strength) AS strength FROM links GROUP BY ALL)
  QUALIFY strength = max(strength) OVER (PARTITION BY old) OR strength = max(strength) OVER (PARTITION BY new)
),
spanned AS (SELECT b.*, o.first AS f1, o.until AS u1, n.first AS f2, n.until AS u2 FROM best b JOIN spans o ON o.id = b.old JOIN spans n ON n.id = b.new)
SELECT old, new FROM spanned s WHERE NOT EXISTS (
  SELECT 1 FROM spanned t WHERE (t.new = s.new AND t.old <> s.old AND t.f1 < s.u1 AND s.f1 < t.u1)
  OR (t.old = s.old AND t.new <> s.new AND t.f2 < s.u2 AND s.f2 < t.u2)
);

CREATE TABLE lines AS
SELECT old, new FROM sure UNION SELECT a.old, b.new FROM sure a JOIN sure b ON b.old = a.new;

CREATE TABLE roots AS
SELECT l.new AS id, arg_min(l.old, o.first) AS person FROM lines l JOIN spans o ON o.id = l.old GROUP BY 1
