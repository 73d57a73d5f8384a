CREATE OR REPLACE TABLE decisions AS SELECT * FROM first_decisions;
CREATE OR REPLACE TABLE frozen (person VARCHAR, school VARCHAR, k BIGINT);

-- Students who moved into a held school: what they had where they left waits, or they have no class at all.
CREATE OR REPLACE TABLE unreleased AS
SELECT * FROM places p WHERE is_live AND load IS NOT NULL AND NOT additive AND NOT EXISTS (
  SELECT 1 FROM places b WHERE b.person = p.person AND b.school = p.school AND stands(b.first, b.ended, p.load)
);

INSERT INTO frozen
WITH have_left AS (
  SELECT p.person, p.school, max(p.ended) AS ended FROM places p
  WHERE p.is_live AND p.ended > $oldest AND p.ended <= coalesce(p.load, $newest) AND NOT EXISTS (
    SELECT 1 FROM places n WHERE n.person = p.person AND n.school = p.school AND n.is_live
    AND stands(n.first, n.ended, coalesce(p.load, $newest))
  )
  GROUP BY ALL
)
SELECT l.person, l.school, l.ended - 1 FROM have_left l
WHERE EXISTS (SELECT 1 FROM unreleased u WHERE u.person = l.person AND stands(u.first, u.ended, $newest))
AND EXISTS (SELECT 1 FROM unreleased u WHERE u.person = l.person AND stands(u.first, u.ended, l.ended));

-- A person who came back under another id keeps the old one while a held school needs it, and the new one waits.
CREATE OR REPLACE TABLE reissued AS
SELECT old, new, k FROM pairs p
WHERE new NOT IN (SELECT new FROM insisted) AND (
  EXISTS (SELECT 1 FROM decisions d WHERE d.id = p.old AND d.k IS NOT NULL)
  OR (is_there AND EXISTS (SELECT 1 FROM decisions d WHERE d.id = p.new AND d.k IS NULL))
  OR p.old IN (SELECT person FROM frozen)
)
UNION SELECT old, new, k FROM insisted;

DELETE FROM frozen WHERE person IN (SELECT old FROM reissued);
INSERT INTO frozen SELECT old, NULL, k FROM reissued;
UPDATE decisions SET k = NULL WHERE id IN (SELECT new FROM reissued);

UPDATE decisions SET k = f.k FROM (SELECT person, max(k) AS k FROM frozen GROUP BY 1) f
WHERE decisions.id = f.person AND decisions.k IS NULL
