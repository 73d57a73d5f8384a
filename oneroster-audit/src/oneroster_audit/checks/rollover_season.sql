-- The new school year that is asked about on $today, and the one before it: the first that began at most 30 days ago or
-- has not begun, if there is an older one. Its sessions are there; those of the old one may be gone.
WITH
  years AS (
    SELECT year, coalesce(min(starts) FILTER (kind = 'schoolYear'), min(starts)) AS starts, coalesce(max(ends) FILTER (kind = 'schoolYear'), max(ends)) AS ends,
      bool_or(is_there) AS is_there
    FROM rollover_sessions WHERE year IS NOT NULL GROUP BY 1)
SELECT n.year, n.starts, o.year, o.ends
FROM years n JOIN years o ON o.year < n.year
WHERE n.is_there AND n.starts + 30 >= $today
ORDER BY n.year, o.year DESC LIMIT 1
