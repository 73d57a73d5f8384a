"""One run of one district, and several at a time."""
