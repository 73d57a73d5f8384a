"""Stores of files: the local disk, or a store that fsspec supports."""
