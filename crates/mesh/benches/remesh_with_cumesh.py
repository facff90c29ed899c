"""Rebuilds OBJ files with CuMesh as TRELLIS.2's `to_glb` does, for `crates/mesh/docs/remesh.md`.

Needs a CUDA card, PyTorch and https://github.com/JeffreyXiang/CuMesh.

    python remesh_with_cumesh.py CELLS IN.obj OUT.obj [IN.obj OUT.obj ...]
"""

import sys

import cumesh.remeshing
import torch

BAND = 1


class ExactDistance:
    """Distances to a few triangles, all against all: stands in for CuMesh's search tree, to rule out what that rounds."""

    def __init__(self, vertices, faces):
        self.corners = vertices[faces.long()].double()

    def unsigned_distance(self, points, return_uvw=False):
        points = points.double()
        a, b, c = self.corners.unbind(1)
        best = torch.full((len(points),), float("inf"), device=points.device, dtype=torch.float64)
        chunk = max(1, 30_000_000 // len(a))
        for start in range(0, len(points), chunk):
            part = points[start : start + chunk, None]
            distance = torch.minimum(
                torch.minimum(to_segment(part, a, b), to_segment(part, b, c)),
                torch.minimum(to_segment(part, c, a), to_inside(part, a, b, c)),
            )
            best[start : start + chunk] = distance.min(1).values
        return best.float(), None, None


def to_segment(points, a, b):
    along = b - a
    share = ((points - a) * along).sum(-1) / (along * along).sum(-1)
    return (points - a - share.clamp(0, 1)[..., None] * along).norm(dim=-1)


def to_inside(points, a, b, c):
    """The distance to the plane where the foot lies in the triangle, infinity elsewhere."""
    normal = torch.linalg.cross(b - a, c - a)
    offset = points - a
    inside = torch.ones(points.shape[0], len(a), dtype=torch.bool, device=points.device)
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= (torch.linalg.cross((end - start).expand_as(points - start), points - start) * normal).sum(-1) >= 0
    distance = ((offset * normal).sum(-1) / normal.norm(dim=-1)).abs()
    return torch.where(inside, distance, torch.inf)


def read(path):
    vertices, faces = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            kind, *words = line.split() or [""]
            if kind == "v":
                vertices.append([float(word) for word in words[:3]])
            elif kind == "f":
                faces.append([int(word.split("/")[0]) - 1 for word in words])
    return torch.tensor(vertices).cuda(), torch.tensor(faces, dtype=torch.int32).cuda()


def write(path, vertices, faces):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"v {x:.7f} {y:.7f} {z:.7f}\n" for x, y, z in vertices.tolist())
        file.writelines(f"f {a} {b} {c}\n" for a, b, c in (faces + 1).tolist())


cells, *paths = sys.argv[1:]
resolution = int(cells)
for source, target in zip(paths[::2], paths[1::2], strict=True):
    vertices, faces = read(source)
    low, high = vertices.amin(0), vertices.amax(0)
    # As in `to_glb`, with the bounding box for the volume's: cells are longer than ours by what the band adds, a twentieth.
    scale = (resolution + 3 * BAND) / resolution * (high - low).max().item()
    rebuilt = cumesh.remeshing.remesh_narrow_band_dc(
        vertices,
        faces,
        center=(low + high) / 2,
        scale=scale,
        resolution=resolution,
        band=BAND,
        project_back=0,
        bvh=ExactDistance(vertices, faces),
    )
    write(target, *(tensor.cpu() for tensor in rebuilt))
