"""Tests of twins: what one consumer may see."""
