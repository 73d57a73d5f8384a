"""The Singer side of the tap: all that knows the SDK."""
