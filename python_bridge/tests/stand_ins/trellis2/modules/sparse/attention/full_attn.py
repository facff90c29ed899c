"""Where upstream imports `flash_attn`, unless it is there already."""
