"""Submanifold convolution: gather the neighbours that are there, and multiply."""

import torch


def set_algorithm(name):
    pass


def set_hashmap_ratio(ratio):
    pass


def neighbours(coords, kernel, dilation):
    """Index of each neighbour `[N, kernel cells]`, -1 where there is none; kernel cells in row-major order."""
    size = int(coords[:, 1:].max()) + 2 * max(dilation) + 2
    keys = (coords.long() + max(dilation)) @ torch.tensor([size**3, size**2, size, 1])
    order = keys.argsort()
    axes = [(torch.arange(cells) - cells // 2) * step for cells, step in zip(kernel, dilation, strict=True)]
    offsets = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, 3)
    wanted = keys[:, None] + (offsets @ torch.tensor([size**2, size, 1]))[None]
    place = torch.searchsorted(keys[order], wanted).clamp(max=len(keys) - 1)
    found = order[place]
    return torch.where(keys[found] == wanted, found, -1)


def sparse_submanifold_conv3d(feats, coords, shape, weight, bias, neighbor_cache, dilation):
    out_channels, *kernel, in_channels = weight.shape
    if neighbor_cache is None:
        neighbor_cache = neighbours(coords, kernel, dilation)
    padded = torch.cat([feats, feats.new_zeros(1, in_channels)])
    columns = padded[neighbor_cache].reshape(len(feats), -1)
    out = columns @ weight.reshape(out_channels, -1).T
    return (out if bias is None else out + bias), neighbor_cache
