"""ReconViaGen's package of the name."""
