-- Persons who came back under another id between $baseline and $load. A key votes only where one user of each load holds it
-- (an e-mail of a guardian or a school is held by several), the one is gone and the other is new. Conflict: votes for
-- different partners, a weak vote for somebody else, other given and family names, or only a name of an account that may
-- have been given to somebody else: then numbers and a name differ.
WITH
  votes AS MATERIALIZED (
    SELECT rule, strength, key, min(id) FILTER (side = 'old') AS old_id, min(id) FILTER (side = 'new') AS new_id
    FROM user_keys GROUP BY ALL
    HAVING count(DISTINCT id) FILTER (side = 'old') = 1 AND count(DISTINCT id) FILTER (side = 'new') = 1),
  began AS MATERIALIZED (SELECT "sourcedId" AS id FROM "users_at"($load) WHERE _sdc_first_load > $baseline),
  ended AS MATERIALIZED (SELECT "sourcedId" AS id FROM "users_at"($baseline) WHERE _sdc_ended_load <= $load),
  pairs AS MATERIALIZED (
    SELECT old_id, new_id, list(DISTINCT rule ORDER BY rule) AS rules, min(strength) AS strength FROM votes v
    WHERE EXISTS (SELECT 1 FROM ended e WHERE e.id = v.old_id) AND NOT EXISTS (SELECT 1 FROM began b WHERE b.id = v.old_id)
      AND EXISTS (SELECT 1 FROM began b WHERE b.id = v.new_id) AND NOT EXISTS (SELECT 1 FROM ended e WHERE e.id = v.new_id)
    GROUP BY ALL),
  old_user AS MATERIALIZED (
    SELECT "sourcedId" AS id, "givenName", "familyName", "identifier", "userMasterIdentifier", "orgSourcedIds" FROM "users_at"($baseline)
    WHERE _sdc_ended_load <= $load AND "sourcedId" IN (SELECT old_id FROM pairs)),
  new_user AS MATERIALIZED (
    SELECT "sourcedId" AS id, "givenName", "familyName", "identifier", "userMasterIdentifier" FROM "users_at"($load)
    WHERE _sdc_first_load > $baseline AND "sourcedId" IN (SELECT new_id FROM pairs)),
  judged AS (
    SELECT p.*, count(*) OVER (PARTITION BY old_id) > 1 OR count(*) OVER (PARTITION BY new_id) > 1 AS is_divided,
      coalesce(lower(trim(o."givenName")) <> lower(trim(n."givenName")), false) AS is_other_given,
      coalesce(lower(trim(o."familyName")) <> lower(trim(n."familyName")), false) AS is_other_family,
      coalesce(nullif(trim(o."identifier"), '') <> nullif(trim(n."identifier"), ''), false)
        OR coalesce(nullif(trim(o."userMasterIdentifier"), '') <> nullif(trim(n."userMasterIdentifier"), ''), false) AS is_other_number,
      o."orgSourcedIds" AS orgs
    FROM pairs p JOIN old_user o ON o.id = old_id JOIN new_user n ON n.id = new_id),
  places AS (
    SELECT "userSourcedId" AS id, list_sort(list(DISTINCT "orgSourcedId")) AS orgs FROM "roles_at"($baseline)
    WHERE "userSourcedId" IN (SELECT old_id FROM pairs) AND "orgSourcedId" IS NOT NULL GROUP BY 1)
SELECT $baseline AS baseline, 'users' AS file, old_id, new_id, rules, NULL::DOUBLE AS overlap,
  CASE
    WHEN is_divided THEN 'conflict'
    WHEN strength = 9 THEN 'weak'
    WHEN is_other_given AND is_other_family THEN 'conflict'
    WHEN strength >= 4 AND is_other_number AND (is_other_given OR is_other_family) THEN 'conflict'
    ELSE 'proposed'
  END AS verdict,
  coalesce(p.orgs, j.orgs, []) AS schools
FROM judged j LEFT JOIN places p ON p.id = j.old_id
