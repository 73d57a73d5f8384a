"""Sample districts, and a provider that serves them."""
