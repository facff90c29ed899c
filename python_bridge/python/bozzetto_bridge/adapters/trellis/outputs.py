"""Gaussians and meshes of the TRELLIS family as parts of an asset."""

from typing import Any

import numpy as np

from bozzetto_bridge._native import Asset


def set_gaussians(asset: Asset, gaussians: Any) -> None:
    """Give an asset upstream's Gaussians, with their activations applied and the 3D filter in their scales.

    Upstream renders them with Mip-Splatting's 2D filter of 0.1, and without spherical harmonics beyond the first.
    """
    asset.set_splats(
        _array(gaussians.get_xyz),
        scales=_array(gaussians.get_scaling),
        rotations=_array(gaussians.get_rotation),
        opacities=_array(gaussians.get_opacity)[:, 0],
        sh=_array(gaussians.get_features),
        filter="mip",
        frame="z_up",
    )


def set_mesh(asset: Asset, mesh: Any) -> None:
    """Give an asset upstream's mesh, with the sRGB colours of its vertices where it has any."""
    attributes = mesh.vertex_attrs
    colors = None if attributes is None else _array(attributes)[:, :3]
    asset.set_mesh(_array(mesh.vertices), mesh.faces.cpu().numpy().astype(np.int32), "z_up", colors=colors)


def _array(tensor: Any) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
