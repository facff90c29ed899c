"""The shape of upstream's demo: an interface at its top, globals that its start would set, and one long function."""

import os

import gradio as gr
import numpy as np
import torch
from gradio_litmodel3d import LitModel3D

torch.backends.cuda.matmul.allow_tf32 = True  # as what upstream's demo imports

with gr.Blocks(title="demo") as demo, gr.Row():
    examples = gr.Examples(examples=os.listdir("."), inputs=[LitModel3D(label="model")])
    demo.load(lambda request: None)


class render_utils:  # noqa: N801, a module upstream
    @staticmethod
    def render_video(gaussians, num_frames):
        raise AssertionError("nobody wants a video")


class AsymmetricMASt3R:
    @classmethod
    def from_pretrained(cls, name):
        assert name.startswith("naver/")
        return cls()

    def eval(self):
        return self


def generate_and_extract_glb(
    multiimages,
    seed: int,
    ss_guidance_strength: float,
    ss_sampling_steps: int,
    ss_guidance_rescale: float,
    ss_rescale_t: float,
    slat_guidance_strength: float,
    slat_sampling_steps: int,
    slat_guidance_rescale: float,
    slat_rescale_t: float,
    multiimage_algo: str,
    mesh_simplify: float,
    texture_size: int,
    refine: str,
    ss_refine: str,
    registration_num_frames: int,
    trellis_stage1_lr: float,
    trellis_stage1_start_t: float,
    trellis_stage2_lr: float,
    trellis_stage2_start_t: float,
    low_vram: bool,
    req: gr.Request,
):
    outputs, _, noise = pipeline.run(image=[image for image, _ in multiimages], seed=seed)  # noqa: F821
    if refine == "Yes":
        try:
            if os.environ.get("STAND_IN_FAULT") == "finds no cameras":
                raise ValueError("no matches")
            matrix = np.eye(4, dtype=np.float32)
            matrix[:3] = [[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 2]]
            outputs = pipeline.run_refine(  # noqa: F821
                extrinsics=Given([matrix] * len(multiimages)),
                intrinsics=Given([np.diag([1.5, 1.5, 1])] * len(multiimages)),
                ss_noise=noise,
                ss_refine_type=ss_refine,
                apperance_learning_rate=trellis_stage2_lr,
            )
        except Exception as error:
            print(f"Error during refinement: {error}")
    render_utils.render_video(outputs["gaussian"][0], num_frames=120)


class Given:
    def __init__(self, values):
        self.values = torch.tensor(np.asarray(values))

    def detach(self):
        return self.values
