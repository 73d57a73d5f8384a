"""Find bundles and their files, and decide which to read."""
