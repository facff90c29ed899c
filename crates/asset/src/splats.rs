use glam::{Quat, Vec3};

/// Screen-space filter a splat set was trained with; the renderer must use the same one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplatFilter {
    /// 3DGS: 0.3 px added to the projected covariance's diagonal, opacity unchanged.
    #[default]
    Dilate,
    /// Mip-Splatting's 2D filter with kernel 0.1 and opacity compensation, as TRELLIS trains with.
    Mip,
}

/// Natural logarithm of a splat's standard deviation along its three axes, metres before the logarithm.
pub type LogScale = Vec3;

/// Gaussian splats in the model frame, structure of arrays; every array has one entry a splat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GaussianSplats {
    /// Centres, metres. `[N, 3]`
    pub positions: Vec<Vec3>,
    /// Natural logarithm of the standard deviations. `[N, 3]`
    pub log_scales: Vec<LogScale>,
    /// Unit quaternions from splat axes to the model frame. `[N, 4]`
    pub rotations: Vec<Quat>,
    /// Opacity in `[0, 1]` (after the sigmoid of 3DGS files). `[N]`
    pub opacities: Vec<f32>,
    /// Degree of the spherical harmonics, 0 to 3.
    pub sh_degree: u8,
    /// Spherical harmonics coefficients, `(sh_degree + 1)^2` a splat, each RGB, coefficient-major within a splat.
    /// `[N, (sh_degree + 1)^2, 3]`. As in 3DGS, colour is `0.5 + sum(sh * basis)`, and that colour is sRGB-encoded.
    pub sh: Vec<[f32; 3]>,
    /// Filter to render with.
    pub filter: SplatFilter,
}

/// Constant of the zeroth spherical harmonic, `1 / (2 sqrt(pi))`.
pub const SH_C0: f32 = 0.282_094_79;

impl GaussianSplats {
    /// Number of splats.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there are no splats.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Coefficients a splat: `(sh_degree + 1)^2`.
    pub fn num_sh_coefficients(&self) -> usize {
        (self.sh_degree as usize + 1).pow(2)
    }

    /// View-independent colour of a splat, sRGB-encoded, not clamped.
    pub fn base_color_srgb(&self, index: usize) -> [f32; 3] {
        self.sh[index * self.num_sh_coefficients()].map(|dc| 0.5 + SH_C0 * dc)
    }

    /// Zeroth coefficient that shows a given sRGB-encoded colour from every side.
    pub fn dc_from_srgb(color: [f32; 3]) -> [f32; 3] {
        color.map(|channel| (channel - 0.5) / SH_C0)
    }

    /// Axis-aligned bounds of the centres, `None` when empty.
    pub fn bounds(&self) -> Option<(Vec3, Vec3)> {
        crate::tri_mesh::bounds_of(&self.positions)
    }

    /// Whether the arrays' lengths agree with one another.
    pub fn is_consistent(&self) -> bool {
        let count = self.len();
        self.log_scales.len() == count
            && self.rotations.len() == count
            && self.opacities.len() == count
            && self.sh_degree <= 3
            && self.sh.len() == count * self.num_sh_coefficients()
    }
}
