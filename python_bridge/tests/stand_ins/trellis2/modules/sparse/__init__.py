"""There, and nothing more."""
