"""Which of the repositories that ship a package named `trellis` is installed.

Told by its files, without importing them: both import all that they may ever need.
"""

import importlib.util
from pathlib import Path

MICROSOFT = "TRELLIS"
RECONVIAGEN = "ReconViaGen v0.2"
RECONVIAGEN_HYBRID = "ReconViaGen v0.5"


def package_folder() -> Path | None:
    """Give the folder of the package `trellis`, if there is one."""
    try:
        spec = importlib.util.find_spec("trellis")
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(places[0]) if places else None


def installed() -> str | None:
    """Name the repository that the package `trellis` is of."""
    folder = package_folder()
    if folder is None:
        return None
    pipelines = folder / "pipelines"
    try:
        source = (pipelines / "trellis_image_to_3d.py").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if "class TrellisVGGTTo3DPipeline" not in source:
        return MICROSOFT if "class TrellisImageTo3DPipeline" in source else None
    return RECONVIAGEN_HYBRID if (pipelines / "trellis_hybrid_pipeline.py").is_file() else RECONVIAGEN


def problem(wanted: str) -> str:
    """Say why the wanted one cannot be used, as the tail of a sentence; empty when it can."""
    found = installed()
    if found == wanted:
        return ""
    return "is not installed" if found is None else f"is not there: the package 'trellis' is that of {found}"
