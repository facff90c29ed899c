"""The part of the bridge that must be fast or exact."""

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

@final
class Streams:
    """The worker's ends of the pipes to the program."""

    def serve(self, info: str, handler: Any) -> None: ...

@final
class Context:
    """One job's way to the program."""

    @property
    def is_cancelled(self) -> bool: ...
    def stage(self, stage: str) -> None: ...
    def progress(self, stage: str, done: int, total: int) -> None: ...
    def reused(self, stage: str) -> None: ...
    def memory(self, used: int, total: int) -> None: ...
    def log(self, level: str, message: str) -> None: ...
    def preview_structure(self, coords: NDArray[np.int32], resolution: int, frame: str) -> None: ...
    def preview_cameras(
        self,
        view_from_world: NDArray[np.float32],
        fov_y_rad: NDArray[np.float32],
        aspect: NDArray[np.float32],
        frame: str,
    ) -> None: ...
    def preview_views(self, views: list[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]) -> None: ...

@final
class Asset:
    """What a job makes."""

    def __init__(self) -> None: ...
    def set_mesh(
        self,
        positions: NDArray[np.float32],
        triangles: NDArray[np.int32],
        frame: str,
        *,
        normals: NDArray[np.float32] | None = None,
        uvs: NDArray[np.float32] | None = None,
        colors: NDArray[np.float32] | None = None,
    ) -> None: ...
    def set_splats(
        self,
        positions: NDArray[np.float32],
        *,
        scales: NDArray[np.float32],
        rotations: NDArray[np.float32],
        opacities: NDArray[np.float32],
        sh: NDArray[np.float32],
        filter: str,
        frame: str,
    ) -> None: ...
    def set_cameras(
        self,
        view_from_world: NDArray[np.float32],
        fov_y_rad: NDArray[np.float32],
        aspect: NDArray[np.float32],
        frame: str,
    ) -> None: ...
    def set_material(
        self,
        base_color: NDArray[np.uint8],
        *,
        orm: NDArray[np.uint8] | None = None,
        normal: NDArray[np.uint8] | None = None,
        has_occlusion: bool = False,
    ) -> None: ...
    def set_volume(
        self,
        coords: NDArray[np.int32],
        *,
        base_color: NDArray[np.float32],
        alpha: NDArray[np.float32],
        metallic: NDArray[np.float32],
        roughness: NDArray[np.float32],
        resolution: int,
        frame: str,
    ) -> None: ...
    def set_weights(self, weights: dict[str, str]) -> None: ...

def read_mesh(path: str) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32] | None]: ...
def take_streams() -> Streams: ...
