"""Parts of the quick start beside the plugins: a summary that compares counts, and a query command."""
