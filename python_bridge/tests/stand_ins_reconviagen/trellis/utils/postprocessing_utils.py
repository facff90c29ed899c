"""The shape of upstream's export: a file that says what was asked of it."""

import json
from pathlib import Path


class _Mesh:
    def __init__(self, asked):
        self.asked = asked

    def export(self, path):
        Path(path).write_text(json.dumps(self.asked))


def to_glb(app_rep, mesh, simplify, texture_size, verbose):
    splats = len(app_rep.get_xyz)
    return _Mesh({"splats": splats, "faces": len(mesh.faces), "simplify": simplify, "texture_size": texture_size})
