"""Weight files: whether they are there, and their hashes."""

import hashlib
import json
import re
from pathlib import Path

from bozzetto_bridge.errors import Internal, MissingFile

_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_folder(weights: str, config_file: str, needed: tuple[str, ...]) -> None:
    """Raise `MissingFile` for the first file of a pipeline's folder that is not there.

    Upstream would look for it on the internet instead and complain about that. Models of other repositories, which a
    folder names by owner and repository, are left to upstream.
    """
    folder = Path(weights)
    config = folder / config_file
    if not config.is_file():
        raise MissingFile(what="The pipeline's description", path=str(config))
    try:
        models = dict(json.loads(config.read_text(encoding="utf-8"))["args"]["models"])
    except (KeyError, TypeError, ValueError):
        raise Internal(reason=f"{config} does not describe a pipeline") from None
    for name in needed:
        stem = models.get(name)
        if not isinstance(stem, str) or not stem:
            raise MissingFile(what=f"The model '{name}'", path=f"its entry in {config}")
        if not (folder / Path(stem).parts[0]).exists() and stem.count("/") >= 2:  # noqa: PLR2004, owner/repository/file
            continue
        for suffix in (".json", ".safetensors"):
            path = folder / f"{stem}{suffix}"
            if not path.is_file():
                raise MissingFile(what=f"The model '{name}'", path=str(path))


def weight_hashes(weights: str, stems: list[str]) -> dict[str, str]:
    """Give the SHA-256 of each model's file, by its name; a model whose file is not found is left out.

    Files in the Hugging Face cache carry it in their names; others are read.
    """
    hashes = {}
    for stem in stems:
        path = _weight_file(weights, stem)
        if path is not None:
            hashes[f"{Path(stem).name}.safetensors"] = _sha256(path)
    return hashes


def _weight_file(weights: str, stem: str) -> Path | None:
    local = Path(weights) / f"{stem}.safetensors"
    if local.is_file():
        return local
    from huggingface_hub import try_to_load_from_cache

    # As upstream does: first in the pipeline's own repository, then as a path that starts with another.
    owner, _, rest = stem.partition("/")
    repository, _, file = rest.partition("/")
    places = [(weights, stem), (f"{owner}/{repository}", file)]
    for repository_id, name in places:
        if name and re.fullmatch(r"[\w.-]+/[\w.-]+", repository_id):
            found = try_to_load_from_cache(repository_id, f"{name}.safetensors")
            if isinstance(found, str):
                return Path(found)
    return None


def _sha256(path: Path) -> str:
    blob = path.resolve().name
    if _SHA256.fullmatch(blob):
        return blob
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()
