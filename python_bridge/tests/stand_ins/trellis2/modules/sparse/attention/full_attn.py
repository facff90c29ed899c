"""Upstream imports `flash_attn` inside its function, at each call."""


def sparse_scaled_dot_product_attention():
    if "flash_attn" not in globals():
        import flash_attn
    return flash_attn
