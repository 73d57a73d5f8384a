"""Files of a bundle made into records."""
