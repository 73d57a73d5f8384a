"""What `tools.derive` writes into files that repeat the code."""
