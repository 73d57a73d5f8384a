-- Who holds the keys of users who are new between $baseline and $load, in each of the two loads: side, rule, strength (the
-- lower the stronger, 9 is weak), key, id. Only keys of new users are kept, so the table is as small as the change.
WITH
  fresh AS MATERIALIZED (  -- a version that began since, of a row that had none before
    SELECT "sourcedId" AS id FROM "users_at"($load) WHERE _sdc_first_load > $baseline
    EXCEPT SELECT "sourcedId" FROM "users_at"($baseline) WHERE _sdc_ended_load <= $load),
  wanted AS MATERIALIZED (
    SELECT nullif(trim("identifier"), '') AS number, nullif(trim("userMasterIdentifier"), '') AS master,
      lower(nullif(trim("email"), '')) AS mail, lower(nullif(trim("username"), '')) AS login, "userIds" AS other,
      lower(trim("givenName")) AS given, lower(trim("familyName")) AS family, coalesce("grades"[1], '') AS grade
    FROM "users_at"($load) SEMI JOIN fresh f ON f.id = "sourcedId"),
  others AS MATERIALIZED (SELECT DISTINCT key FROM (SELECT CAST(unnest(other) AS VARCHAR) AS key FROM wanted) WHERE NOT ends_with(key, ''': NULL}') AND NOT ends_with(key, ''': }')),
  names AS MATERIALIZED (
    SELECT 'old' AS side, "sourcedId" AS id, lower(trim("givenName")) AS given, lower(trim("familyName")) AS family, coalesce("grades"[1], '') AS grade, "orgSourcedIds" AS orgs
      FROM "users_at"($baseline) SEMI JOIN wanted w ON w.given = lower(trim("givenName")) AND w.family = lower(trim("familyName"))
    UNION ALL
    SELECT 'new', "sourcedId", lower(trim("givenName")), lower(trim("familyName")), coalesce("grades"[1], ''), "orgSourcedIds"
      FROM "users_at"($load) SEMI JOIN wanted w ON w.given = lower(trim("givenName")) AND w.family = lower(trim("familyName"))),
  places AS (
    SELECT n.side, n.id, list_sort(list(DISTINCT coalesce(x.new_id, r."orgSourcedId"))) AS orgs
      FROM names n JOIN "roles_at"($baseline) r ON r."userSourcedId" = n.id
      LEFT JOIN crosswalk x ON x.baseline = $baseline AND x.file = 'orgs' AND x.old_id = r."orgSourcedId"
      WHERE n.side = 'old' GROUP BY ALL
    UNION ALL
    SELECT n.side, n.id, list_sort(list(DISTINCT r."orgSourcedId")) FROM names n JOIN "roles_at"($load) r ON r."userSourcedId" = n.id
      WHERE n.side = 'new' GROUP BY ALL),
  weak AS MATERIALIZED (
    SELECT n.side, n.id, CAST([n.given, n.family, n.grade, CAST(coalesce(p.orgs, list_sort(n.orgs), []) AS VARCHAR)] AS VARCHAR) AS key
    FROM names n LEFT JOIN places p ON p.side = n.side AND p.id = n.id)
SELECT 'old' AS side, 'identifier' AS rule, 1 AS strength, trim("identifier") AS key, "sourcedId" AS id FROM "users_at"($baseline) SEMI JOIN wanted w ON w.number = trim("identifier")
UNION ALL
SELECT 'new', 'identifier', 1, trim("identifier"), "sourcedId" FROM "users_at"($load) SEMI JOIN wanted w ON w.number = trim("identifier")
UNION ALL
SELECT 'old', 'userMasterIdentifier', 2, trim("userMasterIdentifier"), "sourcedId" FROM "users_at"($baseline) SEMI JOIN wanted w ON w.master = trim("userMasterIdentifier")
UNION ALL
SELECT 'new', 'userMasterIdentifier', 2, trim("userMasterIdentifier"), "sourcedId" FROM "users_at"($load) SEMI JOIN wanted w ON w.master = trim("userMasterIdentifier")
UNION ALL
SELECT 'old', 'userIds', 3, key, id FROM (SELECT "sourcedId" AS id, CAST(unnest("userIds") AS VARCHAR) AS key FROM "users_at"($baseline)) SEMI JOIN others USING (key)
UNION ALL
SELECT 'new', 'userIds', 3, key, id FROM (SELECT "sourcedId" AS id, CAST(unnest("userIds") AS VARCHAR) AS key FROM "users_at"($load)) SEMI JOIN others USING (key)
UNION ALL
SELECT 'old', 'email', 4, lower(trim("email")), "sourcedId" FROM "users_at"($baseline) SEMI JOIN wanted w ON w.mail = lower(trim("email"))
UNION ALL
SELECT 'new', 'email', 4, lower(trim("email")), "sourcedId" FROM "users_at"($load) SEMI JOIN wanted w ON w.mail = lower(trim("email"))
UNION ALL
SELECT 'old', 'username', 5, lower(trim("username")), "sourcedId" FROM "users_at"($baseline) SEMI JOIN wanted w ON w.login = lower(trim("username"))
UNION ALL
SELECT 'new', 'username', 5, lower(trim("username")), "sourcedId" FROM "users_at"($load) SEMI JOIN wanted w ON w.login = lower(trim("username"))
UNION ALL
SELECT side, 'name+school+grade', 9, key, id FROM weak WHERE key IN (SELECT key FROM weak SEMI JOIN fresh USING (id) WHERE side = 'new')
