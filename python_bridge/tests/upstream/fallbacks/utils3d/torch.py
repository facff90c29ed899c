"""Cameras as OpenCV has them."""

import torch


def extrinsics_look_at(eye, look_at, up):
    forward = torch.nn.functional.normalize(look_at - eye, dim=0)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, up), dim=0)
    turn = torch.stack([right, torch.linalg.cross(forward, right), forward])
    view_from_world = torch.eye(4, device=eye.device)
    view_from_world[:3, :3] = turn
    view_from_world[:3, 3] = -turn @ eye
    return view_from_world


def intrinsics_from_fov_xy(fov_x, fov_y):
    intrinsics = torch.eye(3, device=fov_x.device)
    intrinsics[0, 0] = 0.5 / torch.tan(fov_x / 2)
    intrinsics[1, 1] = 0.5 / torch.tan(fov_y / 2)
    intrinsics[:2, 2] = 0.5
    return intrinsics
