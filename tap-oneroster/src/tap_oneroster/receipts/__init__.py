"""Counts and reports of a run: tallies, the shrink guard, the summary."""
