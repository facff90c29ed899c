"""Stages and parameters: defaults of upstream's command line and of its configurations for photos."""

from bozzetto_bridge.params import ParamSpec, StageInfo, choice, number, switch, whole

STAGES = (
    StageInfo("prepare", "Preparing the pictures"),
    StageInfo("refine", "Fitting mesh and materials to the pictures"),
)


def _spec(name: str, label: str, kind: dict, text: str, unit: str = "", advanced: bool = False) -> ParamSpec:
    return ParamSpec(f"refine.{name}", label, "refine", kind, text, unit, advanced)


PARAMS = (
    _spec(
        "iterations", "Iterations", whole(100, 10000, 1000, 100), "More come closer to the pictures and take longer."
    ),
    _spec(
        "moves_vertices",
        "Move the vertices",
        switch(False),
        "Fits the shape as well. With fewer than about fifty pictures it is better left as it is.",
    ),
    _spec(
        "texture_px",
        "Texture size",
        choice({"512": "512", "1024": "1024", "2048": "2048", "4096": "4096"}, "1024"),
        "Width and height of the textures.",
        "px",
    ),
    _spec("picture_px", "Picture size", whole(256, 2048, 512, 64), "Pictures are compared at this size.", "px"),
    _spec("batch", "Pictures at once", whole(1, 16, 4), "More are steadier and need more graphics memory.", "", True),
    _spec("least_roughness", "Least roughness", number(0, 1, 0.25, 0.01), "Keeps highlights out of colours.", "", True),
    _spec(
        "material_rate", "Material learning rate", number(0.001, 0.1, 0.01, 0.001), "How fast colours move.", "", True
    ),
    _spec(
        "position_rate", "Vertex learning rate", number(0.001, 0.1, 0.01, 0.001), "How fast vertices move.", "", True
    ),
)
