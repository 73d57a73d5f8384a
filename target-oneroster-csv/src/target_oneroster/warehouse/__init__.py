"""A warehouse in one DuckDB file: typed tables of the model, merged by key, one transaction for each stream."""
