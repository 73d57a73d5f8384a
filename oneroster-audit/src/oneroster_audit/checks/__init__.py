"""The checks: one short module for each family, its SQL beside it."""
