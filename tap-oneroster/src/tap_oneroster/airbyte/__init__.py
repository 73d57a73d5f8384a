"""`source-oneroster`: the tap's streams over the Airbyte protocol.

This package only translates: the tap's settings become the specification, its catalog the Airbyte catalog, its lines
the records, and its bookmarks the states. All reading and all decisions are the tap's.
"""
