"""Where bundles lie, what is in them, and which of them to read."""
