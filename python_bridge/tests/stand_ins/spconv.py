"""It is there."""
