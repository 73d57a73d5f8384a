"""The HTTP client: authentication, pace, retries, and presets for vendors."""
