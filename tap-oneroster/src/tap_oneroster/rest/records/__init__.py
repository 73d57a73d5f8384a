"""Pages of a service made into records."""
