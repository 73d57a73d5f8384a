"""CSV bundles: where they lie, what is in them, how their files are read. Knows nothing of Singer."""
