"""The shape of upstream's script: reads a configuration, says how far it is, writes a mesh with textures."""

import argparse
import json
import os
import shutil
import time

import nvdiffrast.torch as dr
import tinycudann  # noqa: F401, upstream's first pass alone uses it
from PIL import Image

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config")
    with open(parser.parse_args().config) as file:
        config = json.load(file)
    assert dr.RasterizeGLContext() == "draws with CUDA"
    fault = os.environ.get("STAND_IN_FAULT", "")
    if fault == "out of memory":
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    with open(os.path.join(config["ref_mesh"], "transforms_train.json")) as file:
        scene = json.load(file)
    picture = Image.open(os.path.join(config["ref_mesh"], scene["frames"][0]["file_path"] + ".png"))
    assert list(picture.size) == config["train_res"] and picture.mode == "RGBA"
    for iteration in range(0, config["iter"] + 1, 10):
        print(f"iter={iteration:5d}, img_loss=0.1, reg_loss=0.2, lr=0.01, time=1.0 ms, rem=1 s")
    while fault == "takes long":
        time.sleep(0.1)
    folder = os.path.join("out", config["out_dir"], "mesh")
    os.makedirs(folder)
    shutil.copy(config["base_mesh"], os.path.join(folder, "mesh.obj"))
    shutil.copy(os.path.join(config["ref_mesh"], "transforms_train.json"), os.environ["STAND_IN_SCENE"])
    Image.new("RGB", (4, 4), (200, 100, 50)).save(os.path.join(folder, "texture_kd.png"))
    Image.new("RGB", (4, 4), (0, 90, 30)).save(os.path.join(folder, "texture_ks.png"))
    Image.new("RGB", (4, 4), (128, 128, 255)).save(os.path.join(folder, "texture_n.png"))
