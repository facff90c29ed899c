"""The shape of upstream's export: a file that says what was asked of it."""

import json
import os
from pathlib import Path


class _Scene:
    def __init__(self, asked):
        self.asked = asked

    def export(self, path, extension_webp):
        Path(path).write_text(json.dumps({**self.asked, "extension_webp": extension_webp}))


def to_glb(*, vertices, faces, attr_volume, coords, attr_layout, **asked):
    if os.environ.get("STAND_IN_FAULT") == "cannot bake":
        raise RuntimeError("no rasteriser")
    return _Scene({**asked, "faces": len(faces), "voxels": len(coords), "attributes": len(attr_layout)})
