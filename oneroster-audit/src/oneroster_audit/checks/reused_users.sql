-- Ids that name another person than before: another given and family name, and another identifier
-- (or, without identifiers, another username). One line for each school of the person now.
SELECT coalesce(r."orgSourcedId", '') AS school, n."sourcedId" AS id
FROM "users_at"($load) n
JOIN "users_at"($baseline) o ON o."sourcedId" = n."sourcedId"
LEFT JOIN (SELECT DISTINCT "userSourcedId", "orgSourcedId" FROM "roles_at"($load)) r ON r."userSourcedId" = n."sourcedId"
WHERE n._sdc_first_load > $baseline
  AND lower(n."givenName") <> lower(o."givenName")
  AND lower(n."familyName") <> lower(o."familyName")
  AND CASE WHEN coalesce(n."identifier", '') <> '' AND coalesce(o."identifier", '') <> ''
           THEN n."identifier" <> o."identifier"
           ELSE lower(n."username") <> lower(o."username") END
