"""Upstream is known by this file."""
