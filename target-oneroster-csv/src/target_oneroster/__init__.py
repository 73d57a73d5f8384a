"""Singer target that writes OneRoster CSV bundles."""
