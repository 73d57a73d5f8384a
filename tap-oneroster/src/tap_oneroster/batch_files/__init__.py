"""BATCH: records that leave the tap as files, announced by messages that only name them."""
