"""Where files lie: the local disk, or a store that fsspec knows."""
