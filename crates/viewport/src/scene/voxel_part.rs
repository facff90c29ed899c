use bozzetto_asset::SparseStructure;
use bozzetto_asset::color::srgb_u8_from_linear;
use glam::{Vec3, Vec4};
use rayon::prelude::*;

use super::pool::ScenePool;
use super::voxel_faces::open_faces;
use crate::error::caught;
use crate::ground_shadow::GroundShadow;
use crate::growing::GrowingBuffer;
use crate::{Bounds, GpuError, gpu};

/// sRGB of voxels without colours: the clay of `light.wgsl`.
const CLAY: [u8; 3] = [196, 191, 187];
/// Bit of the face to -y.
const OPEN_BELOW: u16 = 1 << 2;

/// A voxel on the device; `Voxel` in voxels.wgsl.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Voxel {
    place: [u16; 3],
    open_faces: u16,
    color: [u8; 4],
}

/// What a structure is drawn from.
pub struct VoxelBuffers {
    pub voxels: GrowingBuffer,
    pub placement: wgpu::Buffer,
    pub group: Option<wgpu::BindGroup>,
}

impl VoxelBuffers {
    fn new(device: &wgpu::Device) -> Self {
        Self {
            voxels: GrowingBuffer::new("voxels"),
            placement: gpu::empty_buffer(device, "voxel placement", 16, wgpu::BufferUsages::UNIFORM),
            group: None,
        }
    }
}

/// Active voxels on the device.
pub struct VoxelPart {
    pub bounds: Bounds,
    pub shadow: GroundShadow,
    /// Only taken when it is dropped.
    buffers: Option<VoxelBuffers>,
    pool: Option<ScenePool>,
}

impl VoxelPart {
    /// `None` when there are no voxels.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        structure: &SparseStructure,
        pool: Option<&ScenePool>,
    ) -> Result<Option<Self>, GpuError> {
        if !structure.is_consistent() {
            return Err(GpuError::BadContent {
                what: "The preview",
                reason: "its voxels lie outside of their grid, or differ in number from their colours",
            });
        }
        let Some(bounds) = Bounds::from_pair(structure.bounds()) else {
            return Ok(None);
        };
        let voxels = packed(structure);
        gpu::check_buffer(
            device,
            "The preview",
            (voxels.len() as u64 * size_of::<Voxel>() as u64).next_power_of_two(),
        )?;
        // What has another one below it hangs no lower.
        let lowest = voxels.iter().filter(|voxel| voxel.open_faces & OPEN_BELOW != 0);
        let corners =
            lowest.map(|voxel| structure.origin + Vec3::from(voxel.place.map(f32::from)) * structure.voxel_size);
        let shadow = GroundShadow::of_cubes(corners, structure.voxel_size, &bounds);
        let placement = structure.origin.extend(structure.voxel_size);
        let buffers = caught(device, || {
            let spare = pool.and_then(ScenePool::take_voxels);
            let mut buffers = spare.unwrap_or_else(|| VoxelBuffers::new(device));
            buffers.voxels.write(device, queue, &voxels);
            queue.write_buffer(&buffers.placement, 0, bytemuck::bytes_of::<Vec4>(&placement));
            buffers
        })?;
        Ok(Some(Self {
            bounds,
            shadow,
            buffers: Some(buffers),
            pool: pool.cloned(),
        }))
    }

    pub fn buffers(&self) -> Option<&VoxelBuffers> {
        self.buffers.as_ref()
    }

    pub fn buffers_mut(&mut self) -> Option<&mut VoxelBuffers> {
        self.buffers.as_mut()
    }
}

impl Drop for VoxelPart {
    fn drop(&mut self) {
        // The device runs what it was given in order: whatever still draws them comes before what fills them next.
        if let (Some(buffers), Some(pool)) = (self.buffers.take(), &self.pool) {
            pool.give_voxels_back(buffers);
        }
    }
}

/// The voxels that can be seen from outside.
fn packed(structure: &SparseStructure) -> Vec<Voxel> {
    let open = open_faces(&structure.coords);
    let seen = (0..open.len()).into_par_iter().filter(|&index| open[index] != 0);
    seen.map(|index| {
        let [red, green, blue] = structure
            .colors
            .get(index)
            .map_or(CLAY, |color| color.to_array().map(srgb_u8_from_linear));
        Voxel {
            place: structure.coords[index].to_array().map(|axis| axis as u16),
            open_faces: open[index].into(),
            color: [red, green, blue, 255],
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use glam::IVec3;

    use super::*;

    #[test]
    fn hidden_voxels_stay_away_and_colours_keep_their_voxel() {
        let coords: Vec<IVec3> = (0..27).map(|i| IVec3::new(i % 3, i / 3 % 3, i / 9)).collect();
        let structure = SparseStructure {
            voxel_size: 0.1,
            resolution: 3,
            colors: coords.iter().map(|c| c.as_vec3() / 2.0).collect(),
            coords,
            ..SparseStructure::default()
        };
        let voxels = packed(&structure);
        assert_eq!(voxels.len(), 26, "the middle one is hidden");
        for voxel in voxels {
            let color = Vec3::from(voxel.place.map(f32::from)) / 2.0;
            let [red, green, blue] = color.to_array().map(srgb_u8_from_linear);
            assert_eq!(voxel.color, [red, green, blue, 255]);
        }
    }
}
