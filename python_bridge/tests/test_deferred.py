"""Modules that may be missing, and the two packages of one name."""

import importlib
import sys
from pathlib import Path

import pytest
from bozzetto_bridge.adapters.trellis import identity
from bozzetto_bridge.adapters.trellis.environment import check_tensor, environment_variables, importing
from bozzetto_bridge.deferred import Inert, deferring
from bozzetto_bridge.errors import MissingPackage

TESTS = Path(__file__).parent


def test_a_missing_module_can_be_imported_and_named_but_not_used(tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "exporter.py").write_text(
        "import nowhere.deep.torch as deep\n"
        "from nowhere import Thing\n"
        "def export(mesh: deep.Mesh.Kind): return Thing(mesh)\n"
    )
    with deferring(("nowhere",)):
        exporter = importlib.import_module("exporter")
    with pytest.raises(MissingPackage, match="nowhere"):
        exporter.export(1)
    assert not any(name.partition(".")[0] == "nowhere" for name in sys.modules)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("nowhere.again")


def test_a_module_that_is_there_is_not_replaced() -> None:
    with deferring(("numpy",)):
        assert importlib.import_module("numpy").zeros(1).shape == (1,)


def test_what_is_used_all_the_same_is_given() -> None:
    with importing():
        given = importlib.import_module("kaolin.utils.testing").check_tensor
    assert given is check_tensor


def test_shapes_are_checked_as_kaolin_does() -> None:
    np = pytest.importorskip("numpy")
    array = np.zeros((4, 3))
    assert check_tensor(array, (None, 3), throw=False)
    assert not check_tensor(array, (None, 2), throw=False)
    assert not check_tensor(array, (None,), throw=False)
    with pytest.raises(ValueError, match=r"\(4, 3\)"):
        check_tensor(array, (5, 3))


def test_an_inert_interface_takes_everything() -> None:
    interface = Inert()
    with interface.Blocks(css="") as demo, demo.Row():
        assert interface.Button("go").click(print, inputs=[demo]) is interface


def test_attention_is_chosen_by_what_is_installed() -> None:
    assert environment_variables(lambda name: False, {})["ATTN_BACKEND"] == "sdpa"
    assert environment_variables(lambda name: name == "xformers", {})["SPARSE_ATTN_BACKEND"] == "xformers"
    assert "SPCONV_ALGO" not in environment_variables(lambda name: False, {"SPCONV_ALGO": "auto"})


def package(folder: Path, source: str, *others: str) -> Path:
    pipelines = folder / "trellis" / "pipelines"
    pipelines.mkdir(parents=True)
    (folder / "trellis" / "__init__.py").write_text("raise ImportError('not to be imported')")
    (pipelines / "trellis_image_to_3d.py").write_text(source)
    for other in others:
        (pipelines / other).touch()
    return folder


MICROSOFTS = "class TrellisImageTo3DPipeline(Pipeline):\n"
RECONVIAGENS = f"{MICROSOFTS}class TrellisVGGTTo3DPipeline(TrellisImageTo3DPipeline):\n"


@pytest.mark.parametrize(
    ("source", "others", "wanted"),
    [
        (MICROSOFTS, (), identity.MICROSOFT),
        (RECONVIAGENS, (), identity.RECONVIAGEN),
        (RECONVIAGENS, ("trellis_hybrid_pipeline.py",), identity.RECONVIAGEN_HYBRID),
        ("print('something else')", (), None),
    ],
)
def test_packages_of_one_name_are_told_apart(tmp_path, monkeypatch, source, others, wanted) -> None:
    assert identity.installed() is None
    monkeypatch.syspath_prepend(str(package(tmp_path, source, *others)))
    assert identity.installed() == wanted
    assert (identity.problem(identity.MICROSOFT) == "") == (wanted == identity.MICROSOFT)
