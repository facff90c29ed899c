use glam::{IVec3, Vec3};

use crate::volume::{is_grid, lie_within};

/// The active voxels of a shape that is still forming: where it is, before there is a surface.
///
/// Voxels lie as those of [`crate::PbrVolume`] do: `(i, j, k)` is the cell of edge `voxel_size` whose low corner is
/// `origin + voxel_size * (i, j, k)`. A solid may leave out voxels that others hide on all sides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseStructure {
    /// Low corner of voxel (0, 0, 0) in the model frame, metres.
    pub origin: Vec3,
    /// Edge of a voxel, metres.
    pub voxel_size: f32,
    /// Voxels along an axis; coordinates lie in `0..resolution`.
    pub resolution: u32,
    /// Integer coordinates of the active voxels, without repeats. `[N, 3]`
    pub coords: Vec<IVec3>,
    /// Linear RGB of each voxel, or nothing where colours are not known yet. `[N, 3]`
    pub colors: Vec<Vec3>,
}

impl SparseStructure {
    /// Most voxels along an axis: far beyond any engine, and what the viewport's packed coordinates hold.
    pub const MAX_RESOLUTION: u32 = 1 << 16;

    /// Whether the arrays agree, coordinates are in range and all numbers are finite.
    pub fn is_consistent(&self) -> bool {
        self.resolution <= Self::MAX_RESOLUTION
            && (self.colors.is_empty() || self.colors.len() == self.coords.len())
            && self.colors.iter().all(|color| color.is_finite())
            && is_grid(self.origin, self.voxel_size)
            && lie_within(&self.coords, self.resolution)
    }

    /// Box about the active voxels: low and high corner, model frame. `None` when there are none.
    pub fn bounds(&self) -> Option<(Vec3, Vec3)> {
        let first = *self.coords.first()?;
        let (low, high) = self
            .coords
            .iter()
            .fold((first, first), |(low, high), &c| (low.min(c), high.max(c)));
        let corner = |at: IVec3| self.origin + at.as_vec3() * self.voxel_size;
        Some((corner(low), corner(high + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> SparseStructure {
        SparseStructure {
            origin: Vec3::splat(-0.5),
            voxel_size: 0.25,
            resolution: 4,
            coords: vec![IVec3::new(0, 3, 1), IVec3::new(2, 0, 1)],
            colors: Vec::new(),
        }
    }

    #[test]
    fn bounds_hold_the_voxels_whole() {
        let expected = (Vec3::new(-0.5, -0.5, -0.25), Vec3::new(0.25, 0.5, 0.0));
        assert_eq!(two().bounds(), Some(expected));
        assert_eq!(SparseStructure::default().bounds(), None);
    }

    #[test]
    fn contradictions_are_seen() {
        assert!(two().is_consistent());
        let broken: [fn(&mut SparseStructure); 6] = [
            |voxels| voxels.coords[1].z = 4,
            |voxels| voxels.coords[0].x = -1,
            |voxels| voxels.colors = vec![Vec3::ONE],
            |voxels| voxels.colors = vec![Vec3::NAN; 2],
            |voxels| voxels.voxel_size = 0.0,
            |voxels| voxels.resolution = SparseStructure::MAX_RESOLUTION + 1,
        ];
        for break_it in broken {
            let mut voxels = two();
            break_it(&mut voxels);
            assert!(!voxels.is_consistent(), "{voxels:?}");
        }
    }
}
