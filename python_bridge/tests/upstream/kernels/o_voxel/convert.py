"""Flexible dual grids of TRELLIS.2: to meshes exactly, from meshes by the voxels of their vertices alone."""

import torch

QUADS = torch.tensor(
    [
        [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0]],
        [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]],
        [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]],
    ]
)
"""The four voxels about a voxel's edge along x, y and z."""


def flexible_dual_grid_to_mesh(coords, dual_vertices, intersected_flag, split_weight, aabb, grid_size, train=False):
    low, high = torch.tensor(aabb)
    vertices = (coords + dual_vertices) * ((high - low) / grid_size) + low
    keys = coords.long() @ torch.tensor([grid_size**2, grid_size, 1])
    order = keys.argsort()
    around = (coords.long()[:, None, None] + QUADS)[intersected_flag]
    wanted = around @ torch.tensor([grid_size**2, grid_size, 1])
    found = order[torch.searchsorted(keys[order], wanted).clamp(max=len(keys) - 1)]
    is_whole = ((keys[found] == wanted) & (around < grid_size).all(dim=-1)).all(dim=-1)
    quads = found[is_whole]
    weights = split_weight[quads][..., 0]
    is_first = (weights[:, 0] * weights[:, 2] > weights[:, 1] * weights[:, 3])[:, None]
    triangles = torch.where(is_first, quads[:, [0, 1, 2, 0, 2, 3]], quads[:, [0, 1, 3, 3, 1, 2]])
    return vertices, triangles.reshape(-1, 3)


def mesh_to_flexible_dual_grid(vertices, faces, grid_size, aabb, **weights):
    places = (vertices + 0.5) * grid_size
    voxels, members = places.floor().int().clamp(0, grid_size - 1).unique(dim=0, return_inverse=True)
    sums = torch.zeros(len(voxels), 3).index_add_(0, members, places)
    counts = torch.zeros(len(voxels)).index_add_(0, members, torch.ones(len(places)))
    crossed = torch.stack([(voxels[:, axis] + voxels.sum(dim=1)) % 2 == 0 for axis in range(3)], dim=-1)
    return voxels, sums / counts[:, None] / grid_size, crossed
