"""Tests of the harness itself: what judges storekeeper must be shown to be able to fail."""
