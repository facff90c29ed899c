"""What exceptions of upstream libraries mean.

They are told apart by name and text, so that no library is imported for it. The texts are those of PyTorch 2.0 to 2.11,
transformers 4 and 5, huggingface_hub and the CUDA driver.
"""

import re
from collections.abc import Callable, Iterator

from bozzetto_bridge.errors import (
    DeviceLost,
    EngineFailure,
    GatedWeights,
    Internal,
    MissingFile,
    MissingPackage,
    OutOfMemory,
    WrongCuda,
)

_OUT_OF_DEVICE_MEMORY = (
    "cuda out of memory",
    "hip out of memory",
    "cuda error: out of memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)
_OUT_OF_HOST_MEMORY = ("defaultcpuallocator", "cannot allocate memory", "std::bad_alloc")
_WRONG_CUDA = (
    ("found no nvidia driver", "there is no NVIDIA driver"),
    ("no cuda gpus are available", "no graphics card with CUDA is visible"),
    ("driver on your system is too old", "its driver is too old for the installed PyTorch"),
    ("driver version is insufficient", "its driver is too old for the installed PyTorch"),
    ("not compiled with cuda enabled", "the installed PyTorch is one for processors alone"),
    ("no kernel image is available", "a library was not built for this model of graphics card"),
    ("is not compatible with the current pytorch installation", "PyTorch was not built for this model"),
    ("cuda driver initialization failed", "its driver does not start"),
    ("unsupported toolchain", "a library was built with a newer CUDA than its driver knows"),
)
_DEVICE_LOST = (
    "illegal memory access",
    "device-side assert",
    "unspecified launch failure",
    "misaligned address",
    "an illegal instruction",
    "uncorrectable ecc error",
    "fell off the bus",
    "cuda error: unknown error",
)
_BROKEN_LIBRARY = (
    "undefined symbol",
    "dll load failed",
    "cannot open shared object file",
    "symbol not found",
    "numpy.core.multiarray failed to import",
    "compiled using numpy 1",
)
_OTHER_BUILD = "was built for another version of Python, PyTorch or NumPy"
_GATED = ("gated repo", "gatedrepo", "is restricted", "awaiting a review")
_REPOSITORY = re.compile(r"https://(?:huggingface\.co|hf\.co)/(?:api/models/)?([\w.-]+/[\w.-]+)")
_MISSING_ON_HUB = (
    "EntryNotFoundError",
    "LocalEntryNotFoundError",
    "OfflineModeIsEnabled",
    "RemoteEntryNotFoundError",
    "RepositoryNotFoundError",
    "RevisionNotFoundError",
)
_WEIGHTS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".json")


def explain(error: BaseException, stage: str) -> EngineFailure:
    """Name what an exception means, by itself or by what it was raised from."""
    for link in _chain(error):
        for rule in _RULES:
            failure = rule(link, stage)
            if failure is not None:
                return failure
    text = str(error).strip().split("\n", 1)[0].rstrip(".")
    return Internal(reason=f"{type(error).__name__}: {text}" if text else type(error).__name__)


def explain_text(line: str) -> str:
    """Say what is wrong with a library whose import ended with this line, as the tail of a sentence about it."""
    text = line.lower()
    if any(words in text for words in _BROKEN_LIBRARY):
        return f"{_OTHER_BUILD} ({line})"
    missing = re.search(r"No module named '([\w.]+)'", line)
    if missing:
        return f"needs '{missing.group(1)}', which is not installed"
    cuda = next((reason for words, reason in _WRONG_CUDA if words in text), None)
    return f"cannot use the graphics card: {cuda}" if cuda else f"does not load ({line})"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an exception and those it was raised from, each once."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _out_of_memory(error: BaseException, stage: str) -> EngineFailure | None:
    text = str(error).lower()
    is_on_device = type(error).__name__ == "OutOfMemoryError" or any(words in text for words in _OUT_OF_DEVICE_MEMORY)
    if is_on_device:
        return OutOfMemory(device="The graphics card", stage=stage)
    if isinstance(error, MemoryError) or any(words in text for words in _OUT_OF_HOST_MEMORY):
        return OutOfMemory(device="The computer", stage=stage)
    return None


def _gated(error: BaseException, stage: str) -> EngineFailure | None:
    del stage
    text = str(error)
    if type(error).__name__ != "GatedRepoError" and not any(words in text.lower() for words in _GATED):
        return None
    repository = _REPOSITORY.search(text)
    if repository is None:
        return GatedWeights(what="A model that the engine needs", page="https://huggingface.co")
    name = repository.group(1).rstrip(".")
    return GatedWeights(what=f"The model {name}", page=f"https://huggingface.co/{name}")


def _missing_file(error: BaseException, stage: str) -> EngineFailure | None:
    del stage
    if type(error).__name__ in _MISSING_ON_HUB:
        repository = _REPOSITORY.search(str(error))
        return MissingFile(what="A model", path=repository.group(1) if repository else "its file in the model cache")
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        path = str(error.filename)
        if path.endswith(_WEIGHTS):
            return MissingFile(what="A model", path=path)
    return None


def _wrong_cuda(error: BaseException, stage: str) -> EngineFailure | None:
    del stage
    text = str(error).lower()
    return next((WrongCuda(reason=reason) for words, reason in _WRONG_CUDA if words in text), None)


def _device_lost(error: BaseException, stage: str) -> EngineFailure | None:
    del stage
    text = str(error).lower()
    if any(words in text for words in _DEVICE_LOST):
        return DeviceLost(reason=text.split("\n", 1)[0].removeprefix("cuda error: ").rstrip("."))
    return None


def _missing_package(error: BaseException, stage: str) -> EngineFailure | None:
    del stage
    text = str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return MissingPackage(
            package=error.name,
            problem="is not installed",
            advice="Install it into the engine's Python environment, or choose an environment that has it.",
        )
    if isinstance(error, (ImportError, OSError)) and any(words in text.lower() for words in _BROKEN_LIBRARY):
        return MissingPackage(
            package=getattr(error, "name", None) or _library_in(text),
            problem=_OTHER_BUILD,
            advice="Reinstall it for the versions that are in the engine's Python environment.",
        )
    if "failed to find c compiler" in text.lower():
        return MissingPackage(
            package="a C compiler",
            problem="Triton builds its kernels with",
            advice="Install one (on Debian and Ubuntu: apt install gcc), or set the variable CC to it.",
        )
    return None


def _library_in(text: str) -> str:
    """Name the library file that a loader's message is about."""
    found = re.search(r"([\w.+-]+\.(?:so|pyd|dll|dylib)[\w.]*)", text)
    return found.group(1) if found else "a compiled library"


_RULES: tuple[Callable[[BaseException, str], EngineFailure | None], ...] = (
    _out_of_memory,
    _gated,
    _missing_file,
    _wrong_cuda,
    _device_lost,
    _missing_package,
)
