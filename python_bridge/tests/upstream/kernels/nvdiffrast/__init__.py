"""Upstream imports it for its own baking, which no adapter asks for."""
