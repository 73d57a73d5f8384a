-- Users who are new between $baseline and $load and hold the number or username of one who is still there, in a role of the
-- same kind: one person under two ids. A pupil who also works here, or a parent who teaches, is two users rightly.
WITH
  twice AS (
    SELECT rule, key, min(id) FILTER (side = 'old') AS old_id, list(DISTINCT id) FILTER (side = 'new') AS ids FROM user_keys
    WHERE strength IN (1, 2, 3, 5) GROUP BY ALL
    HAVING count(DISTINCT id) FILTER (side = 'old') = 1 AND count(DISTINCT id) FILTER (side = 'new') = 2),
  pairs AS (
    SELECT DISTINCT old_id, unnest(list_filter(ids, lambda i: i <> old_id)) AS new_id FROM twice WHERE list_contains(ids, old_id)),
  kinds AS (
    SELECT DISTINCT person, school, CASE WHEN "role" = 'student' THEN 'student' WHEN "role" IN ('guardian', 'parent', 'relative') THEN 'guardian' ELSE 'staff' END AS kind
    FROM (
      SELECT "userSourcedId" AS person, coalesce("orgSourcedId", '') AS school, "role" FROM "roles_at"($load)
      UNION ALL
      SELECT "sourcedId", coalesce("orgSourcedIds"[1], ''), "role" FROM "users_at"($load) WHERE "role" IS NOT NULL)
    WHERE person IN (SELECT old_id FROM pairs UNION SELECT new_id FROM pairs))
SELECT DISTINCT $baseline AS baseline, n.school AS school, p.new_id AS id, p.old_id AS other_id
FROM pairs p JOIN kinds n ON n.person = p.new_id
JOIN "users_at"($load) a ON a."sourcedId" = p.old_id JOIN "users_at"($load) b ON b."sourcedId" = p.new_id
WHERE EXISTS (SELECT 1 FROM kinds o WHERE o.person = p.old_id AND o.kind = n.kind)
  AND (lower(trim(a."givenName")) = lower(trim(b."givenName")) OR lower(trim(a."familyName")) = lower(trim(b."familyName")))
