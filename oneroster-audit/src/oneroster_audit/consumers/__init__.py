"""Consumers: what each accepts, as data with the page that says so, and what tonight's load would meet there."""
