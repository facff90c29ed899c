"""The interface of upstream's pipeline, with models that write down what they are asked."""

import json
import os
from types import SimpleNamespace

import torch

CALLS = []


from trellis2.pipelines import rembg as rembg  # noqa: E402


class Model:
    def __init__(self):
        self.hooks = []
        self.device = "cpu"

    def register_forward_pre_hook(self, hook):
        self.hooks.append(hook)

    def to(self, device):
        self.device = device

    def forward(self):
        for hook in self.hooks:
            hook(self, ())


class Sampler:
    def sample(self, model, steps):
        for step in range(steps):
            self.sample_once(model, step)

    def sample_once(self, model, step):
        if os.environ.get("STAND_IN_FAULT") == f"out of memory at {step}":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        model.forward()
        model.forward()


class Trellis2ImageTo3DPipeline:
    @classmethod
    def from_pretrained(cls, path, config_file):
        pipeline = cls()
        with open(f"{path}/{config_file}") as file:
            pipeline._pretrained_args = json.load(file)["args"]
        names = pipeline._pretrained_args["models"]
        pipeline.models = {name: Model() for name in names}
        for name in ("sparse_structure", "shape_slat", "tex_slat"):
            setattr(pipeline, f"{name}_sampler", Sampler())
        pipeline.image_cond_model = Model()
        pipeline.image_cond_model.model = SimpleNamespace(model=SimpleNamespace(layer=[]))
        pipeline.rembg_model = rembg.BiRefNet(model_name="briaai/RMBG-2.0")
        pipeline.low_vram = True
        pipeline.pbr_attr_layout = {
            "base_color": slice(0, 3),
            "metallic": slice(3, 4),
            "roughness": slice(4, 5),
            "alpha": slice(5, 6),
        }
        print("[SPARSE] Conv backend:", os.environ["SPARSE_CONV_BACKEND"])
        return pipeline

    def cuda(self):
        pass

    def preprocess_image(self, picture):
        CALLS.append("preprocess")
        if picture.mode != "RGBA":
            picture = self.rembg_model(picture)
        box = picture.getchannel("A").getbbox()
        if box is None:
            raise ValueError("zero-size array to reduction operation minimum which has no identity")
        return picture.crop(box).convert("RGB")

    def get_cond(self, images, resolution):
        CALLS.append(f"condition {resolution}")
        return {"resolution": resolution}

    def sample_sparse_structure(self, cond, resolution, num_samples, params):
        drawn = torch.draw()
        CALLS.append(("structure", cond["resolution"], resolution, drawn, params))
        self.sparse_structure_sampler.sample(self.models["sparse_structure_flow_model"], params["steps"])
        return torch.tensor([[0, 1, 2, 3], [0, 0, 0, resolution - 1]])

    def sample_shape_slat(self, cond, model, coords, params):
        CALLS.append(("shape", cond["resolution"], torch.draw(), params))
        self.shape_slat_sampler.sample(model, params["steps"])
        return "shape"

    def sample_shape_slat_cascade(self, low, high, low_model, model, low_size, size, coords, params, most_tokens):
        drawn = (torch.draw(), torch.draw())
        CALLS.append(("cascade", low["resolution"], high["resolution"], low_size, size, drawn, most_tokens))
        for each in (low_model, model):
            self.shape_slat_sampler.sample(each, params["steps"])
        return "shape", min(size, 1408)

    def sample_tex_slat(self, cond, model, shape, params):
        CALLS.append(("material", cond["resolution"], torch.draw(), params))
        self.tex_slat_sampler.sample(model, params["steps"])
        return "material"

    def decode_latent(self, shape, material, resolution):
        CALLS.append(("decode", resolution))
        return [
            SimpleNamespace(
                vertices=torch.tensor([[0.0, 0.1, 0.2], [0.3, 0.0, 0.0], [0.0, 0.0, 0.4]]).float(),
                faces=torch.tensor([[0, 1, 2]]).int(),
                coords=torch.tensor([[1, 2, 3]]),
                attrs=torch.tensor([[0.5, 1.2, -0.1, 0.25, 0.75, 1.0]]),
            )
        ]
