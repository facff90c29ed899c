"""The upstream Python pipelines as workers of Bozzetto."""
