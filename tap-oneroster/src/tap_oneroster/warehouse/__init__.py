"""The DuckDB file of target-oneroster-duckdb as a source: the rows of one load, or of the loads that were approved."""
