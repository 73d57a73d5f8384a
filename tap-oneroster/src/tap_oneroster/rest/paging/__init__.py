"""Decide which page to request next, and when a collection has been read to its end."""
