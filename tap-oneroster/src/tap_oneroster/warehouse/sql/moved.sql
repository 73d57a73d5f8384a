CREATE OR REPLACE TABLE decisions AS SELECT * FROM first_decisions;
CREATE OR REPLACE TABLE frozen (person VARCHAR, school VARCHAR, k BIGINT);

-- Students who moved into a held school: what they had where they left waits, or they have no class at all.
CREATE OR REPLACE TABLE unreleased AS
SELECT * FROM places p WHERE is_live AND load IS NOT NULL AND NOT additive AND NOT EXISTS (
  SELECT 1 FROM places b WHERE b.person = p.person AND b.school = p.school AND stands(b.first, b.ended, p.load)
);

INSERT INTO frozen
WITH have_left AS (
  SELECT p.person, p.school, max(p.ended) AS ended, arg_max(p.id, p.ended) AS id FROM places p
  WHERE p.is_live AND p.ended > $oldest AND p.ended <= coalesce(p.load, $newest) AND NOT EXISTS (
    SELECT 1 FROM places n WHERE n.person = p.person AND n.school = p.school AND n.is_live
    AND stands(n.first, n.ended, coalesce(p.load, $newest))
  )
  GROUP BY ALL
)
SELECT l.id, l.school, l.ended - 1 FROM have_left l
WHERE EXISTS (SELECT 1 FROM unreleased u WHERE u.person = l.person AND stands(u.first, u.ended, $newest))
AND EXISTS (SELECT 1 FROM unreleased u WHERE u.person = l.person AND stands(u.first, u.ended, l.ended));

-- A person who came back under another id keeps the old one where a held school needs it, or what was left waits. Of
-- several former ids the first that is needed counts. The new one waits.
CREATE OR REPLACE TABLE reissued AS
SELECT l.old, l.new, o.until - 1 AS k, EXISTS (SELECT 1 FROM first_decisions d WHERE d.id = l.old AND d.k IS NOT NULL) AS is_needed
FROM lines l JOIN spans o ON o.id = l.old
WHERE l.new NOT IN (SELECT new FROM insisted) AND (is_needed OR l.old IN (SELECT person FROM frozen))
QUALIFY row_number() OVER (PARTITION BY l.new ORDER BY NOT is_needed, o.first) = 1
UNION SELECT old, new, k, true FROM insisted;

INSERT INTO frozen SELECT DISTINCT old, NULL, k FROM reissued WHERE is_needed;
UPDATE decisions SET k = NULL WHERE id IN (SELECT new FROM reissued);

UPDATE decisions SET k = f.k FROM (SELECT person, max(k) AS k FROM frozen GROUP BY 1) f
WHERE decisions.id = f.person AND decisions.k IS NULL
