"""What adapters and stand-ins take for upstream's interface, against upstream's source, which is read and not run."""

import ast
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from conftest import STAND_INS

from upstream.conftest import HERE, checkout, environment, upstream

RECONVIAGEN = STAND_INS.with_name("stand_ins_reconviagen")
PIPELINE = "trellis/pipelines/trellis_image_to_3d.py"
VGGT = "TrellisVGGTTo3DPipeline"
GLB_WITH_MATERIALS = [
    "vertices",
    "faces",
    "attr_volume",
    "coords",
    "attr_layout",
    "grid_size",
    "aabb",
    "decimation_target",
    "texture_size",
    "remesh",
    "remesh_band",
    "remesh_project",
]
GLB_FROM_SPLATS = ["app_rep", "mesh", "simplify", "texture_size", "verbose"]


def parameters(path: Path, name: str) -> list[str]:
    """Names that a function or a method takes, `self` left out."""
    found: ast.AST = ast.parse(path.read_text(encoding="utf-8"))
    for part in name.split("."):
        kinds = (ast.ClassDef, ast.FunctionDef)
        found = next(node for node in found.body if isinstance(node, kinds) and node.name == part)
    taken = [argument.arg for argument in (*found.args.posonlyargs, *found.args.args, *found.args.kwonlyargs)]
    return [argument for argument in taken if argument not in ("self", "cls")]


@pytest.mark.parametrize(
    ("repository", "file", "name", "used"),
    [
        (
            "TRELLIS",
            PIPELINE,
            "TrellisImageTo3DPipeline.sample_sparse_structure",
            ["cond", "num_samples", "sampler_params"],
        ),
        ("TRELLIS", PIPELINE, "TrellisImageTo3DPipeline.sample_slat", ["cond", "coords", "sampler_params"]),
        ("TRELLIS", PIPELINE, "TrellisImageTo3DPipeline.decode_slat", ["slat", "formats"]),
        (
            "TRELLIS",
            PIPELINE,
            "TrellisImageTo3DPipeline.inject_sampler_multi_image",
            ["sampler_name", "num_images", "num_steps", "mode"],
        ),
        ("TRELLIS.2", "o-voxel/o_voxel/postprocess.py", "to_glb", GLB_WITH_MATERIALS),
        ("ReconViaGen-v0.5", "wheels/TRELLIS.2/o-voxel/o_voxel/postprocess.py", "to_glb", GLB_WITH_MATERIALS),
        ("TRELLIS", "trellis/utils/postprocessing_utils.py", "to_glb", GLB_FROM_SPLATS),
        ("ReconViaGen", "trellis/utils/postprocessing_utils.py", "to_glb", GLB_FROM_SPLATS),
        (
            "ReconViaGen",
            PIPELINE,
            f"{VGGT}.run",
            ["image", "seed", "formats", "sparse_structure_sampler_params", "slat_sampler_params"],
        ),
        ("ReconViaGen", PIPELINE, f"{VGGT}.run_refine", ["extrinsics", "intrinsics"]),
        (
            "ReconViaGen-v0.5",
            "trellis/pipelines/trellis_hybrid_pipeline.py",
            "TrellisHybridPipeline.run_multi_image",
            [
                "images",
                "strategy",
                "seed",
                "ss_sampler_params",
                "slat_sampler_params",
                "shape_slat_sampler_params",
                "tex_slat_sampler_params",
                "pipeline_type",
                "preprocess_image",
                "return_latent",
                "max_num_tokens",
                "ss_source",
            ],
        ),
        (
            "ReconViaGen-v0.5",
            "trellis/pipelines/trellis_hybrid_pipeline.py",
            "TrellisHybridPipeline.__init__",
            ["vggt_pipeline", "trellis2_pipeline", "low_vram"],
        ),
        (
            "TRELLIS.2",
            "trellis2/pipelines/trellis2_texturing.py",
            "Trellis2TexturingPipeline.sample_tex_slat",
            ["cond", "flow_model", "shape_slat", "sampler_params"],
        ),
    ],
)
def test_upstream_takes_what_it_is_given(repository, file, name, used) -> None:
    assert set(used) <= set(parameters(checkout(repository) / file, name))


def test_the_demos_function_is_the_stand_ins() -> None:
    names = [
        parameters(folder / "app_fine.py", "generate_and_extract_glb")
        for folder in (checkout("ReconViaGen"), RECONVIAGEN)
    ]
    assert names[0] == names[1]


def test_the_demo_has_what_is_put_into_it() -> None:
    source = (checkout("ReconViaGen") / "app_fine.py").read_text(encoding="utf-8")
    for words in (
        "outputs = pipeline.run_refine(",
        "extrinsics=target_extrinsics",
        "intrinsics=target_intrinsics",
        "render_utils.render_video(",
        "mast3r_model = AsymmetricMASt3R.from_pretrained(",
        'print(f"Error during refinement: {e}")',
    ):
        assert words in source


def test_guidance_tells_reconviagen_from_trellis() -> None:
    told = {}
    for repository in ("TRELLIS", "ReconViaGen"):
        command = [sys.executable, str(HERE / "tell_guidance.py"), str(upstream(repository))]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        told[repository] = (done.stdout.split() or [done.stderr])[-1]
    assert told == {"TRELLIS": "False", "ReconViaGen": "True"}


def test_the_script_reads_every_setting_it_is_given() -> None:
    from bozzetto_bridge.adapter import Job
    from bozzetto_bridge.adapters.nvdiffrec import NvdiffrecAdapter
    from bozzetto_bridge.adapters.nvdiffrec.data import write_config

    folder = checkout("nvdiffrec")
    files = [folder / "train.py", *folder.glob("*/*.py")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    params = {spec.key: spec.default for spec in NvdiffrecAdapter().info().params}
    with tempfile.TemporaryDirectory() as place:
        config = write_config(Job(views=(), params=params, seed=0), Path(place), Path("mesh.obj"), "out")
        for name in json.loads(config.read_text()):
            assert f"FLAGS.{name}" in source, name
