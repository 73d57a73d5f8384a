"""CSV bundles: find them, open them, read their files. Does not depend on Singer."""
