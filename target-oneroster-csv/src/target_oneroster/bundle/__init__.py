"""target-oneroster-csv: stage records, check and convert them, and publish a bundle."""
