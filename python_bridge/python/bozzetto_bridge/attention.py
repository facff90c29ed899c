"""Attention over sequences of different lengths with PyTorch alone, where no library for it is installed.

This module stands in for `flash_attn` as far as upstream's sparse transformers call it. One sequence a batch, which is
what they run with, is the same computation; PyTorch's kernel is said to be about a tenth slower.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def importable() -> Iterator[None]:
    """Let `import flash_attn` find this module for a while, where no other is installed.

    Not for longer than upstream imports it: other libraries look whether it is there, and then expect all of it.
    """
    if "flash_attn" in sys.modules:
        yield
        return
    sys.modules["flash_attn"] = sys.modules[__name__]
    try:
        yield
    finally:
        del sys.modules["flash_attn"]


def lend_to(package: str, function_name: str) -> None:
    """Make this module importable whenever a package calls a function of its own that imports it anew each time."""
    modules = [module for name, module in sys.modules.items() if f"{name}.".startswith(f"{package}.")]
    wrapped: dict[Any, Callable[..., Any]] = {}
    for module in modules:
        function = vars(module).get(function_name)
        if function is not None:
            setattr(module, function_name, wrapped.setdefault(function, _with_importable(function)))


def _with_importable(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        with importable():
            return function(*arguments, **options)

    return call


def flash_attn_varlen_func(
    q: Any, k: Any, v: Any, cu_seqlens_q: Any, cu_seqlens_k: Any, max_seqlen_q: int, max_seqlen_k: int
) -> Any:
    """Attend within each sequence: `[tokens, heads, head_dim]`, with the sequences' bounds."""
    import torch

    del max_seqlen_q, max_seqlen_k
    bounds_q, bounds_k = cu_seqlens_q.tolist(), cu_seqlens_k.tolist()
    parts = [
        _attend(q[from_q:to_q], k[from_k:to_k], v[from_k:to_k])
        for from_q, to_q, from_k, to_k in zip(bounds_q, bounds_q[1:], bounds_k, bounds_k[1:], strict=False)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def flash_attn_varlen_kvpacked_func(
    q: Any, kv: Any, cu_seqlens_q: Any, cu_seqlens_k: Any, max_seqlen_q: int, max_seqlen_k: int
) -> Any:
    """Attend with keys and values in one array: `[tokens, 2, heads, head_dim]`."""
    k, v = kv.unbind(dim=1)
    return flash_attn_varlen_func(q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k)


def flash_attn_varlen_qkvpacked_func(qkv: Any, cu_seqlens: Any, max_seqlen: int) -> Any:
    """Attend with queries, keys and values in one array: `[tokens, 3, heads, head_dim]`."""
    q, k, v = qkv.unbind(dim=1)
    return flash_attn_varlen_func(q, k, v, cu_seqlens, cu_seqlens, max_seqlen, max_seqlen)


def flash_attn_qkvpacked_func(qkv: Any) -> Any:
    """Attend within sequences of one length: `[batch, tokens, 3, heads, head_dim]`."""
    from torch.nn.functional import scaled_dot_product_attention

    q, k, v = (part.transpose(1, 2) for part in qkv.unbind(dim=2))  # [batch, heads, tokens, head_dim]
    return scaled_dot_product_attention(q, k, v).transpose(1, 2)


def _attend(q: Any, k: Any, v: Any) -> Any:
    from torch.nn.functional import scaled_dot_product_attention

    heads_first = [part.transpose(0, 1).unsqueeze(0) for part in (q, k, v)]  # [1, heads, tokens, head_dim]
    return scaled_dot_product_attention(*heads_first).squeeze(0).transpose(0, 1)
