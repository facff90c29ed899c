"""Upstream's meshes and voxels of materials as parts of an asset."""

from typing import Any

from bozzetto_bridge._native import Asset
from bozzetto_bridge.errors import NoResult


def set_volume(asset: Asset, coords: Any, attributes: Any, layout: dict[str, slice], resolution: int) -> None:
    """Give an asset its materials: voxels `[N, 3]` with attributes `[N, 6]` in upstream's layout."""
    samples = attributes.float().cpu().numpy()
    asset.set_volume(
        coords.int().cpu().numpy(),
        base_color=samples[:, layout["base_color"]],
        alpha=samples[:, layout["alpha"]][:, 0],
        metallic=samples[:, layout["metallic"]][:, 0],
        roughness=samples[:, layout["roughness"]][:, 0],
        resolution=resolution,
        frame="z_up",
    )


def asset_of(mesh: Any, layout: dict[str, slice], resolution: int) -> Asset:
    """Give upstream's mesh with its voxels as an asset."""
    if mesh.faces.shape[0] == 0:
        raise NoResult(reason="The shape has no surface", advice="Try another seed or more shape steps.")
    asset = Asset()
    asset.set_mesh(mesh.vertices.cpu().numpy(), mesh.faces.cpu().numpy(), "z_up")
    set_volume(asset, mesh.coords, mesh.attrs, layout, resolution)
    return asset
