"""Twins: what one consumer may see of a source. The rules are in the core; here they meet settings, sources and state."""
