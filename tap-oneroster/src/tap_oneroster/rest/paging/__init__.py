"""What to ask a service for next, and when a collection has been read to its end."""
