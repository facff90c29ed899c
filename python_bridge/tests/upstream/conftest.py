"""Upstream's own code, where this machine has it.

These tests run upstream's classes with random weights on the processor. They need PyTorch, what upstream imports, and
checkouts of the repositories in the folder that `BOZZETTO_TEST_UPSTREAM` names.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).parent
KERNELS = HERE / "kernels"


def upstream(name: str) -> Path:
    """A checkout that can be run; the test is skipped where it cannot."""
    pytest.importorskip("torch")
    return checkout(name)


def checkout(name: str) -> Path:
    """A checkout; the test is skipped where there is none."""
    folder = Path(os.environ.get("BOZZETTO_TEST_UPSTREAM", "/nowhere")) / name
    if not folder.is_dir():
        pytest.skip(f"BOZZETTO_TEST_UPSTREAM names no folder with {name}")
    return folder


def environment(*paths: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), *map(str, paths), os.environ.get("PYTHONPATH", "")]),
        "HF_HUB_OFFLINE": "1",
        "PYTHONFAULTHANDLER": "1",
        "OMP_NUM_THREADS": "1",  # sums in one order
        "SPARSE_CONV_BACKEND": "flex_gemm",
        "ATTN_BACKEND": "sdpa",
        "SPARSE_ATTN_BACKEND": "flash_attn",
    }


def run_script(script: str, *arguments: object, env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="session")
def cut_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture with transparency: a coloured ball off the centre."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    pixels = np.zeros((96, 96, 4), dtype=np.uint8)
    pixels[..., 0] = 127 * (x + 1)
    pixels[..., 1] = 127 * (y + 1)
    pixels[..., 2] = 60
    pixels[..., 3] = 255 * ((x - 0.1) ** 2 + (y + 0.2) ** 2 < 0.3)
    path = tmp_path_factory.mktemp("pictures") / "ball.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="session")
def second_picture(cut_out: Path) -> Path:
    path = cut_out.with_name("turned.png")
    Image.open(cut_out).transpose(Image.Transpose.ROTATE_90).save(path)
    return path
