"""`source-oneroster`: the tap's streams in the words of the Airbyte protocol.

Nothing is read, decided or remembered here that the tap does not: its settings become the
specification, its catalog the catalog, its lines the records, its bookmarks the states.
"""
