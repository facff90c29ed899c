"""The mesh that a job brings."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bozzetto_bridge._native import read_mesh
from bozzetto_bridge.errors import NoResult


@dataclass(frozen=True)
class GivenMesh:
    """A mesh in the model frame."""

    positions: NDArray[np.float32]
    """`[V, 3]`"""
    triangles: NDArray[np.int32]
    """`[F, 3]`"""
    uvs: NDArray[np.float32] | None
    """`[V, 2]`, origin at the top left."""
    content_hash: str
    """SHA-256 of its file."""

    @classmethod
    def read(cls, path: Path | None) -> "GivenMesh":
        """Read a mesh file of any format that the program knows."""
        if path is None:
            raise NoResult(reason="The job names no mesh to work on", advice="Open one, or make one first.")
        try:
            content_hash = hashlib.sha256(path.read_bytes()).hexdigest()
            positions, triangles, uvs = read_mesh(str(path))
        except (OSError, ValueError) as error:
            reason = f"The mesh {path.name} cannot be read: {error}"
            raise NoResult(reason=reason.rstrip("."), advice="Open another file.") from None
        if len(triangles) == 0 or np.ptp(positions, axis=0).max() == 0:
            raise NoResult(reason=f"The mesh {path.name} has no surface", advice="Open another file.")
        return cls(positions, triangles, uvs, content_hash)
