use glam::{IVec3, Vec3};

/// A material sample: linear base colour, alpha, metallic, roughness, all in `[0, 1]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct PbrSample {
    /// Linear RGB.
    pub base_color: [f32; 3],
    /// Opacity.
    pub alpha: f32,
    /// 0 dielectric, 1 metal.
    pub metallic: f32,
    /// 0 mirror, 1 rough.
    pub roughness: f32,
}

impl PbrSample {
    /// This sample times a weight, for blending.
    #[must_use]
    pub fn scaled(self, weight: f32) -> Self {
        Self {
            base_color: self.base_color.map(|channel| channel * weight),
            alpha: self.alpha * weight,
            metallic: self.metallic * weight,
            roughness: self.roughness * weight,
        }
    }

    /// The sum of two weighted samples.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            base_color: std::array::from_fn(|channel| self.base_color[channel] + other.base_color[channel]),
            alpha: self.alpha + other.alpha,
            metallic: self.metallic + other.metallic,
            roughness: self.roughness + other.roughness,
        }
    }
}

/// Sparse voxels near the surface, each with a material sample at its centre.
///
/// Voxel `(i, j, k)` is the cell of edge `voxel_size` whose low corner is `origin + voxel_size * (i, j, k)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PbrVolume {
    /// Low corner of voxel (0, 0, 0) in the model frame, metres.
    pub origin: Vec3,
    /// Edge of a voxel, metres.
    pub voxel_size: f32,
    /// Voxels along an axis; coordinates lie in `0..resolution`.
    pub resolution: u32,
    /// Integer coordinates of the active voxels, without repeats. `[N, 3]`
    pub coords: Vec<IVec3>,
    /// One sample an active voxel. `[N, 6]`
    pub samples: Vec<PbrSample>,
}

impl PbrVolume {
    /// Centre of an active voxel in the model frame.
    pub fn center(&self, index: usize) -> Vec3 {
        self.origin + (self.coords[index].as_vec3() + 0.5) * self.voxel_size
    }

    /// Whether the arrays agree, coordinates are in range and the geometry is finite.
    pub fn is_consistent(&self) -> bool {
        self.coords.len() == self.samples.len()
            && is_grid(self.origin, self.voxel_size)
            && lie_within(&self.coords, self.resolution)
    }
}

/// Whether voxels of this size, counted from this corner, have finite places.
pub(crate) fn is_grid(origin: Vec3, voxel_size: f32) -> bool {
    origin.is_finite() && voxel_size.is_finite() && voxel_size > 0.0
}

/// Whether all coordinates lie in `0..resolution`.
pub(crate) fn lie_within(coords: &[IVec3], resolution: u32) -> bool {
    let range = 0..resolution as i32;
    coords
        .iter()
        .all(|c| c.to_array().iter().all(|axis| range.contains(axis)))
}
