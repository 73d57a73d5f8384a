-- Users as a bundle of version 1.1 would have them: role and orgs, of 1.2 users taken from roles. The strongest word counts.
CREATE OR REPLACE TEMP MACRO "users_given"(k) AS TABLE
WITH held AS (
  SELECT "userSourcedId" AS person, "orgSourcedId" AS org, (coalesce("roleType", '') <> 'primary')::INT AS secondary,
    CASE WHEN "role" IN ('districtAdministrator', 'principal', 'siteAdministrator', 'systemAdministrator') THEN 'administrator'
         WHEN "role" = 'counselor' THEN 'aide' ELSE "role" END AS word
  FROM "roles_at"(k) WHERE "userSourcedId" IS NOT NULL),
  one AS (
  SELECT person, arg_min(word, secondary * 100 + $strongest) AS word, list(DISTINCT org) FILTER (org IS NOT NULL) AS orgs
  FROM held GROUP BY 1)
SELECT u.* REPLACE (
    coalesce(nullif(u."role", ''), one.word) AS "role",
    CASE WHEN coalesce(len(u."orgSourcedIds"), 0) > 0 THEN u."orgSourcedIds" ELSE one.orgs END AS "orgSourcedIds")
FROM "users_at"(k) u LEFT JOIN one ON one.person = u."sourcedId"
