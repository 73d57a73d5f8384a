"""Read the files of a bundle into records."""
