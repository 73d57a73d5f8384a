"""Benchmarks: ratios to a baseline in the same run, never tests with a time limit."""
