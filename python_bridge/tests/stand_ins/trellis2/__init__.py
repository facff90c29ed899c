"""Upstream in the shape that the adapter meets it."""
