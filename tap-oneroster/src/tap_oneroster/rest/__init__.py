"""The REST binding: a OneRoster service read page by page into the warehouse shape.

Nothing here but `settings` knows of Singer.
"""
