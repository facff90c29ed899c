"""The matting model, which its first user loads."""

from trellis2.pipelines import CALLS


class BiRefNet:
    def __init__(self, model_name="ZhengPeng7/BiRefNet"):
        CALLS.append(f"loads {model_name}")
        if model_name.startswith("briaai"):
            raise OSError(f"You are trying to access a gated repo. See https://huggingface.co/{model_name}.")

    def to(self, device):
        pass

    def __call__(self, picture):
        picture = picture.copy()
        alpha = picture.convert("L").point(lambda value: 255 if value > 10 else 0)
        picture.putalpha(alpha)
        return picture
