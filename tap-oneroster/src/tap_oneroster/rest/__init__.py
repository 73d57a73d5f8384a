"""The REST binding: read a OneRoster service page by page into the warehouse shape.

Only `settings` depends on Singer.
"""
