"""What the artist is shown of upstream's licences."""

import pytest
from bozzetto_bridge.adapters import ADAPTERS

RESTRICTED = {
    "trellis2-python": {"nvdiffrast", "RMBG-2.0 weights"},
    "trellis2-texturing-python": {"nvdiffrast", "RMBG-2.0 weights"},
    "trellis-python": set(),
    "reconviagen-python": {"VGGT-1B", "MASt3R", "FlexiCubes", "diff-gaussian-rasterization"},
    "reconviagen-v05-python": {"VGGT-1B", "FlexiCubes", "nvdiffrast", "RMBG-2.0 weights"},
    "nvdiffrec-python": {"nvdiffrec", "nvdiffrast"},
}


@pytest.mark.parametrize("engine", ADAPTERS)
def test_parts_that_may_not_be_sold_are_named(engine) -> None:
    licences = ADAPTERS[engine]().info().to_json()["licences"]
    restricted = [licence["part"] for licence in licences if not licence["permits_commercial_use"]]
    assert len(restricted) == len(RESTRICTED[engine])
    for part in RESTRICTED[engine]:
        assert any(part in name for name in restricted)


@pytest.mark.parametrize("engine", ADAPTERS)
def test_descriptions_hold_together(engine) -> None:
    info = ADAPTERS[engine]().info()
    stages = {stage.id for stage in info.stages}
    keys = [spec.key for spec in info.params]
    assert len(keys) == len(set(keys))
    for spec in info.params:
        assert spec.stage in stages
        assert spec.label and spec.help.endswith(".")
        if "min" in spec.kind:
            assert spec.kind["min"] <= spec.default <= spec.kind["max"]
