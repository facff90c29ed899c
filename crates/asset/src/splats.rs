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

/// The real spherical harmonics of degrees 0 to 3 in a unit direction, from the eye to the splat, in the order and with
/// the signs of 3DGS (Kerbl et al. 2023, `computeColorFromSH`).
pub fn sh_basis(direction: Vec3) -> [f32; 16] {
    let Vec3 { x, y, z } = direction;
    let (xx, yy, zz) = (x * x, y * y, z * z);
    [
        SH_C0,
        -0.488_602_5 * y,
        0.488_602_5 * z,
        -0.488_602_5 * x,
        1.092_548_4 * x * y,
        -1.092_548_4 * y * z,
        0.315_391_57 * (2.0 * zz - xx - yy),
        -1.092_548_4 * x * z,
        0.546_274_2 * (xx - yy),
        -0.590_043_6 * y * (3.0 * xx - yy),
        2.890_611_4 * x * y * z,
        -0.457_045_8 * y * (4.0 * zz - xx - yy),
        0.373_176_34 * z * (2.0 * zz - 3.0 * xx - 3.0 * yy),
        -0.457_045_8 * x * (4.0 * zz - xx - yy),
        1.445_305_7 * z * (xx - yy),
        -0.590_043_6 * x * (xx - 3.0 * yy),
    ]
}

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

    /// Colour of a splat in the direction of a [`sh_basis`], sRGB-encoded, not clamped.
    pub fn color_srgb(&self, index: usize, basis: &[f32; 16]) -> [f32; 3] {
        let count = self.num_sh_coefficients();
        self.sh[index * count..][..count]
            .iter()
            .zip(basis)
            .fold([0.5; 3], |sum, (coefficient, value)| {
                std::array::from_fn(|channel| sum[channel] + coefficient[channel] * value)
            })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basis_is_orthonormal_over_the_sphere() {
        let count = 4000;
        // A Fibonacci sphere: even enough for polynomials of degree 6.
        let directions = (0..count).map(|i| {
            let y = 1.0 - (2 * i + 1) as f32 / count as f32;
            let (sin, cos) = (i as f32 * 2.399_963_1).sin_cos();
            Vec3::new((1.0 - y * y).sqrt() * cos, y, (1.0 - y * y).sqrt() * sin)
        });
        let mut products = [[0.0_f32; 16]; 16];
        for basis in directions.map(sh_basis) {
            for (row, a) in products.iter_mut().zip(basis) {
                for (product, b) in row.iter_mut().zip(basis) {
                    *product += a * b * 4.0 * std::f32::consts::PI / count as f32;
                }
            }
        }
        for (row, values) in products.iter().enumerate() {
            for (column, value) in values.iter().enumerate() {
                let expected = f32::from(u8::from(row == column));
                assert!((value - expected).abs() < 0.01, "{row} {column}: {value}");
            }
        }
    }

    #[test]
    fn colours_of_both_ways_agree_where_all_directions_look_alike() {
        let splats = GaussianSplats {
            sh_degree: 1,
            sh: vec![
                [0.0; 3],
                [9.0; 3],
                [9.0; 3],
                [9.0; 3],
                [1.0, -0.5, 0.2],
                [0.0; 3],
                [0.4; 3],
                [0.0; 3],
            ],
            ..GaussianSplats::default()
        };
        let side = splats.color_srgb(1, &sh_basis(Vec3::X));
        for (a, b) in side.into_iter().zip(splats.base_color_srgb(1)) {
            assert!((a - b).abs() < 1e-6);
        }
        let front = splats.color_srgb(1, &sh_basis(Vec3::Z));
        assert!((front[0] - side[0] - 0.4 * 0.488_602_5).abs() < 1e-6);
    }
}
