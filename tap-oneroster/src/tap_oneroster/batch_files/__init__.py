"""BATCH: records that leave the tap as files; the messages only name the files."""
