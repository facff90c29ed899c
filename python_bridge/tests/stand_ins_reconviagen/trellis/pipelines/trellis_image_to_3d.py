"""The interface of TRELLIS-VGGT, with models that write down what they are asked."""

import json
import os
from types import SimpleNamespace

import numpy as np
import torch

CALLS = []


class Model:
    def __init__(self):
        self.device = "cpu"

    def register_forward_pre_hook(self, hook):
        pass

    def to(self, device):
        self.device = device

    def cuda(self):
        self.to("cuda")

    def cpu(self):
        self.to("cpu")


class Interval:
    def _inference_model(self, model, x_t, t, cond, cfg_strength, cfg_interval, **kwargs):
        pass


class Guidance:
    def _inference_model(self, model, x_t, t, cond, neg_cond, cfg_strength, guidance_rescale=0.0, **kwargs):
        pass


class ForkGuidance:
    def _inference_model(self, model, x_t, t, cond, neg_cond, cfg_strength, **kwargs):
        pass


class Steps:
    def sample(self, model, steps):
        for step in range(steps):
            self.sample_once(model, step)

    def sample_once(self, model, step):
        pass


class Sampler(Interval, Guidance, Steps):
    pass


class ForkSampler(Interval, ForkGuidance, Steps):
    pass


def outputs(shift):
    points = torch.tensor([[0.0, 0.1, 0.2], [0.3, 0.0, 0.0], [0.0, 0.0, 0.4]]).float() + np.float32(shift)
    gaussians = SimpleNamespace(
        get_xyz=points,
        get_scaling=points * 0 + np.float32(0.01),
        get_rotation=torch.tensor([[1.0, 0, 0, 0]] * 3).float(),
        get_opacity=torch.tensor([[0.5]] * 3).float(),
        get_features=torch.tensor([[[0.1, 0.2, 0.3]]] * 3).float(),
    )
    mesh = SimpleNamespace(vertices=points, faces=torch.tensor([[0, 1, 2]]), vertex_attrs=None, success=True)
    return {"gaussian": [gaussians], "mesh": [mesh], "slat": None}


class TrellisVGGTTo3DPipeline:
    @classmethod
    def from_pretrained(cls, path):
        pipeline = cls()
        with open(f"{path}/pipeline.json") as file:
            pipeline._pretrained_args = json.load(file)["args"]
        pipeline.models = {name: Model() for name in pipeline._pretrained_args["models"]}
        made = ForkSampler if "STAND_IN_IS_FORK" in os.environ else Sampler
        pipeline.sparse_structure_sampler, pipeline.slat_sampler = made(), made()
        for name in ("VGGT_model", "sparse_structure_vggt_cond", "slat_vggt_cond", "dreamsim_model", "birefnet_model"):
            setattr(pipeline, name, Model())
        return pipeline

    def preprocess_image(self, picture):
        CALLS.append("preprocess")
        return picture.convert("RGBA")

    def run(self, image, seed, formats, sparse_structure_sampler_params, slat_sampler_params):
        CALLS.append(("run", seed, len(image), formats, sparse_structure_sampler_params, slat_sampler_params))
        assert not torch.backends.cuda.matmul.allow_tf32, "the demo's imports are no reason for another result"
        self.sparse_structure_sampler.sample(None, sparse_structure_sampler_params["steps"])
        self.slat_sampler.sample(None, slat_sampler_params["steps"])
        return outputs(0.0), torch.tensor([[0, 1, 2, 3]]), "noise"

    def run_refine(self, *, extrinsics, intrinsics, **arguments):
        CALLS.append(("run_refine", arguments))
        if os.environ.get("STAND_IN_FAULT") == "fails to refine":
            raise RuntimeError("singular matrix")
        return outputs(0.05)
