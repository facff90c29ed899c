"""As far as it is changed before upstream starts."""
