"""Gaussians drawn with PyTorch alone, with gradients, where mip-splatting's rasteriser is not compiled.

Each is drawn over its own square of three deviations, nearest first. With gradients, what lies behind is dimmed through
a sum of logarithms along each pixel's list of them; without, one after the other, which is faster. Follows Kerbl et al.
2023 and Yu et al. 2023 (the 2D filter keeps opacity).
"""

from typing import NamedTuple

import torch

COLOR_BAND_0 = 0.28209479177387814


class GaussianRasterizationSettings(NamedTuple):
    image_height: int
    image_width: int
    tanfovx: float
    tanfovy: float
    kernel_size: float
    subpixel_offset: torch.Tensor
    bg: torch.Tensor
    scale_modifier: float
    viewmatrix: torch.Tensor
    projmatrix: torch.Tensor
    sh_degree: int
    campos: torch.Tensor
    prefiltered: bool
    debug: bool


class GaussianRasterizer(torch.nn.Module):
    def __init__(self, raster_settings):
        super().__init__()
        self.settings = raster_settings

    def forward(
        self,
        means3D,  # noqa: N803
        means2D,  # noqa: N803
        opacities,
        shs=None,
        colors_precomp=None,
        scales=None,
        rotations=None,
        cov3D_precomp=None,  # noqa: N803
    ):
        del means2D, cov3D_precomp
        colors = (COLOR_BAND_0 * shs[:, 0] + 0.5).clamp(min=0) if colors_precomp is None else colors_precomp
        centres, inverses, opacities, radii, order = self._project(means3D, scales, rotations, opacities[:, 0])
        draw = self._draw if colors.requires_grad or centres.requires_grad else self._draw_one_by_one
        picture = draw(centres[order], inverses[order], opacities[order], radii[order], colors[order])
        shown = torch.zeros(len(means3D), dtype=torch.int32)
        shown[order] = radii[order].int()
        return picture, shown

    def _project(self, means, scales, rotations, opacities):
        settings = self.settings
        size = torch.tensor([settings.image_width, settings.image_height])
        open_to = torch.tensor([float(settings.tanfovx), float(settings.tanfovy)])
        focal = size / (2 * open_to)
        x, y, z = (means @ settings.viewmatrix[:3, :3] + settings.viewmatrix[3, :3]).unbind(1)
        centres = torch.stack([x, y], 1) / z[:, None] * focal + (size - 1) / 2
        slopes = torch.stack([x / z, y / z], 1).clamp(-1.3 * open_to, 1.3 * open_to)
        nothing = torch.zeros_like(z)
        rows = [
            focal[0] / z,
            nothing,
            -focal[0] * slopes[:, 0] / z,
            nothing,
            focal[1] / z,
            -focal[1] * slopes[:, 1] / z,
        ]
        to_picture = torch.stack(rows, 1).reshape(-1, 2, 3) @ settings.viewmatrix[:3, :3].T
        half = to_picture @ _axes(rotations) * scales[:, None]
        covariances = half @ half.transpose(1, 2)
        area = covariances.det().clamp(min=1e-6)
        widened = covariances + settings.kernel_size * torch.eye(2)
        opacities = opacities * (area / (widened.det().clamp(min=1e-6) + 1e-6) + 1e-6).sqrt()
        radii = (3 * torch.linalg.eigvalsh(widened.detach())[:, 1].sqrt()).ceil()
        is_seen = (z > 0.2) & ((centres + radii[:, None]) > 0).all(1) & ((centres - radii[:, None]) < size).all(1)
        order = torch.argsort(z.detach())
        return centres, widened.inverse(), opacities, radii, order[is_seen[order]]

    def _draw(self, centres, inverses, opacities, radii, colors):
        width, height = self.settings.image_width, self.settings.image_height
        owners, pixels = _covered(centres.detach(), radii, width, height)
        places = torch.stack([pixels % width, pixels // width], 1)
        away = places - centres[owners]
        power = -0.5 * torch.einsum("ni,nij,nj->n", away, inverses[owners], away)
        alphas = (opacities[owners] * power.exp()).clamp(max=0.99)
        kept = alphas > 1 / 255
        owners, pixels, alphas = owners[kept], pixels[kept], alphas[kept]
        # Owners come nearest first, and a stable order keeps that within each pixel.
        pixels, along = torch.sort(pixels, stable=True)
        owners, alphas = owners[along], alphas[along]
        dimming = torch.log1p(-alphas.double())
        before = dimming.cumsum(0) - dimming
        starts = torch.searchsorted(pixels, pixels)
        weights = alphas * (before - before[starts]).exp().float()
        flat = torch.zeros(width * height, 3).index_add(0, pixels, weights[:, None] * colors[owners])
        covered = torch.zeros(width * height).index_add(0, pixels, weights)
        flat = flat + (1 - covered)[:, None] * self.settings.bg
        return flat.T.reshape(3, height, width)

    def _draw_one_by_one(self, centres, inverses, opacities, radii, colors):
        width, height = self.settings.image_width, self.settings.image_height
        picture, left = torch.zeros(3, height, width), torch.ones(height, width)
        lows, highs = _squares(centres, radii, width, height)
        squares = torch.cat([lows, highs], 1).tolist()
        parts = zip(squares, centres.tolist(), inverses.tolist(), opacities.tolist(), colors, strict=True)
        for (left_edge, top, right_edge, bottom), (x, y), ((a, b), (_, c)), opacity, color in parts:
            across = torch.arange(left_edge, right_edge) - x
            down = (torch.arange(top, bottom) - y)[:, None]
            alpha = (opacity * (-0.5 * (a * across * across + c * down * down) - b * across * down).exp()).clamp(
                max=0.99
            )
            alpha[alpha <= 1 / 255] = 0
            window = left[top:bottom, left_edge:right_edge]
            weights = window * alpha
            picture[:, top:bottom, left_edge:right_edge] += color[:, None, None] * weights
            window -= weights
        return picture + left * self.settings.bg[:, None, None]


def _squares(centres, radii, width, height):
    """The pixels that each may cover, from and to: two of `[N, 2]`."""
    size = torch.tensor([width, height])
    low = (centres - radii[:, None]).floor().long().clamp(min=0).minimum(size)
    high = ((centres + radii[:, None]).ceil().long() + 1).clamp(min=0).minimum(size)
    return low, torch.maximum(low, high)


def _covered(centres, radii, width, height):
    """Each Gaussian's pixels: `owners [M]`, `pixels [M]`, in the Gaussians' order."""
    low, high = _squares(centres, radii, width, height)
    across, down = (high - low).unbind(1)
    counts = across * down
    owners = torch.repeat_interleave(torch.arange(len(centres)), counts)
    within = torch.arange(len(owners)) - (counts.cumsum(0) - counts)[owners]
    columns = low[owners, 0] + within % across[owners]
    rows = low[owners, 1] + within // across[owners]
    return owners, rows * width + columns


def _axes(rotations):
    w, x, y, z = rotations.unbind(1)
    rows = [
        1 - 2 * (y * y + z * z),
        2 * (x * y - w * z),
        2 * (x * z + w * y),
        2 * (x * y + w * z),
        1 - 2 * (x * x + z * z),
        2 * (y * z - w * x),
        2 * (x * z - w * y),
        2 * (y * z + w * x),
        1 - 2 * (x * x + y * y),
    ]
    return torch.stack(rows, 1).reshape(-1, 3, 3)
