"""target-oneroster-csv: records staged, checked, converted, and published as a bundle."""
