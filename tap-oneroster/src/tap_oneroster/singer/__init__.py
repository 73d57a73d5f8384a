"""The Singer side of the tap: all code that uses the SDK."""
