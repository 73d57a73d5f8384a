"""A warehouse in one DuckDB file: typed tables of the model, merged by key, a transaction a stream."""
