"""The Singer side that both targets share."""
