"""Counts and reports of a run: tallies, the shrink guard, progress, the summary."""
