"""What a run counts and reports: tallies, the shrink guard, the summary."""
