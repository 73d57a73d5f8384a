"""Tests of oneroster-fleet."""
