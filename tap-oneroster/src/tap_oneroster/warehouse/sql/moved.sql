-- Students who moved from a released school into a held one: what they had there waits, or they have no class at all.
CREATE TABLE into_held AS
SELECT person, school, min(first) AS since FROM places p
WHERE stands(first, ended, $newest) AND is_live AND load IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM places b WHERE b.person = p.person AND b.school = p.school AND stands(b.first, b.ended, p.load)
) GROUP BY ALL;

INSERT INTO frozen
WITH have_left AS (
  SELECT p.person, p.school, max(p.ended) AS ended FROM places p
  WHERE p.load IS NULL AND p.is_live AND p.ended > $oldest AND p.ended <= $newest
  AND NOT EXISTS (
    SELECT 1 FROM places n
    WHERE n.person = p.person AND n.school = p.school AND n.is_live AND stands(n.first, n.ended, $newest)
  )
  GROUP BY ALL
)
SELECT l.person, l.school, l.ended - 1 FROM have_left l
WHERE EXISTS (SELECT 1 FROM into_held i WHERE i.person = l.person AND i.since <= l.ended);

-- A person who came back under another id keeps the old one while a held school needs it, and the new one waits.
CREATE TABLE reissued AS
SELECT old, new, k FROM pairs p
WHERE EXISTS (SELECT 1 FROM decisions d WHERE d.id = p.old AND d.k IS NOT NULL)
OR EXISTS (SELECT 1 FROM decisions d WHERE d.id = p.new AND d.k IS NULL)
OR p.old IN (SELECT person FROM frozen);

DELETE FROM frozen WHERE person IN (SELECT old FROM reissued);
INSERT INTO frozen SELECT old, NULL, k FROM reissued;
UPDATE decisions SET k = NULL WHERE id IN (SELECT new FROM reissued);

UPDATE decisions SET k = f.k FROM (SELECT person, max(k) AS k FROM frozen GROUP BY 1) f
WHERE decisions.id = f.person AND decisions.k IS NULL
