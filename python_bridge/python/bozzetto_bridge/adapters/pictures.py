"""Pictures of a job, as upstream pipelines take them."""

import hashlib
from typing import Any

from bozzetto_bridge.adapter import View
from bozzetto_bridge.errors import BadView


def content_hash(view: View) -> str:
    """Give the SHA-256 of a picture's file."""
    try:
        return hashlib.sha256(view.path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadView(name=view.name, reason=error.strerror or "it cannot be read") from None


def open_picture(view: View) -> Any:
    """Open a picture upright, as RGB or RGBA, with the transparency that the artist wants of it."""
    from PIL import Image, ImageChops, ImageOps

    try:
        with Image.open(view.path) as file:
            upright = ImageOps.exif_transpose(file)
            has_alpha = "A" in upright.getbands() or "transparency" in upright.info
            picture = upright.convert("RGBA" if has_alpha and not view.ignores_alpha else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadView(name=view.name, reason=str(error).rstrip(".") or "it cannot be read") from None
    if view.is_inverted and picture.mode == "RGBA":
        picture.putalpha(ImageChops.invert(picture.getchannel("A")))
    return picture
