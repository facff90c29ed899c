"""Exceptions as upstream libraries raise them, and what the program hears of them."""

import json

import pytest
from bozzetto_bridge import errors
from bozzetto_bridge.failures import explain, explain_text


class OutOfMemoryError(RuntimeError):
    pass


class GatedRepoError(OSError):
    pass


class LocalEntryNotFoundError(FileNotFoundError):
    pass


GATED_PAGE = "https://huggingface.co/facebook/dinov3-vitl16-pretrain-lvd1689m"

CASES = [
    (OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"), {"device": "The graphics card"}),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), {"device": "The graphics card"}),
    (RuntimeError("CUDA error: out of memory"), {"device": "The graphics card"}),
    (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), {"device": "The computer"}),
    (MemoryError(), {"device": "The computer"}),
    (GatedRepoError(f"403 Client Error. Cannot access gated repo for url {GATED_PAGE}/resolve"), {"page": GATED_PAGE}),
    (OSError(f"You are trying to access a gated repo.\nAsk at {GATED_PAGE}."), {"page": GATED_PAGE}),
    (LocalEntryNotFoundError("An error happened, and outgoing traffic is disabled."), {"kind": "missing_file"}),
    (FileNotFoundError(2, "No such file", "/models/a.safetensors"), {"path": "/models/a.safetensors"}),
    (AssertionError("Torch not compiled with CUDA enabled"), {"kind": "wrong_cuda"}),
    (RuntimeError("Found no NVIDIA driver on your system."), {"reason": "there is no NVIDIA driver"}),
    (RuntimeError("CUDA error: no kernel image is available for execution on the device"), {"kind": "wrong_cuda"}),
    (RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel"), {"reason": "device-side assert triggered"}),
    (ModuleNotFoundError("No module named 'flex_gemm'", name="flex_gemm"), {"package": "flex_gemm"}),
    (
        ImportError("/x/_C.cpython-311-x86_64-linux-gnu.so: undefined symbol: _ZN3c10"),
        {"package": "_C.cpython-311-x86_64-linux-gnu.so"},
    ),
    (OSError("libcudart.so.12: cannot open shared object file"), {"package": "libcudart.so.12"}),
    (RuntimeError("Failed to find C compiler. Please specify via CC"), {"package": "a C compiler"}),
    (FileNotFoundError(2, "No such file", "/home/notes.txt"), {"kind": "internal"}),
    (ValueError("shapes do not match.\nmore"), {"reason": "ValueError: shapes do not match"}),
    (KeyError(), {"reason": "KeyError"}),
]


@pytest.mark.parametrize(("error", "wanted"), CASES)
def test_exceptions_become_errors_of_the_protocol(error: BaseException, wanted: dict[str, str]) -> None:
    told = json.loads(explain(error, "shape").engine_error)
    assert wanted.items() <= told.items(), told


def test_what_an_exception_was_raised_from_counts() -> None:
    try:
        try:
            raise GatedRepoError(f"gated: {GATED_PAGE}")
        except OSError as cause:
            raise RuntimeError("The model cannot be loaded") from cause
    except RuntimeError as error:
        assert explain(error, "prepare").kind == "gated_weights"


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert json.loads(explain(first, "").engine_error)["reason"] == "ValueError: first"


def test_a_failure_carries_its_own_words() -> None:
    told = json.loads(errors.OutOfMemory(device="The computer", stage="shape").engine_error)
    assert told == {"kind": "out_of_memory", "device": "The computer", "stage": "shape"}
    assert json.loads(errors.Cancelled().engine_error) == {"kind": "cancelled"}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("ImportError: x.so: undefined symbol: y", "was built for another"),
        ("ModuleNotFoundError: No module named 'nvdiffrast'", "needs 'nvdiffrast'"),
        ("RuntimeError: Found no NVIDIA driver on your system", "there is no NVIDIA driver"),
        ("SyntaxError: invalid syntax", "does not load (SyntaxError"),
    ],
)
def test_broken_imports_are_explained(line: str, wanted: str) -> None:
    assert wanted in explain_text(line)
