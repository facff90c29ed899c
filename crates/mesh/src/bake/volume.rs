use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use bozzetto_asset::{PbrSample, PbrVolume};
use glam::{IVec3, Vec3};

use super::Sampler;
use crate::MeshError;
use crate::nearest::{Nearest, SearchTree};
use crate::topology::NONE;

const BLOCK_BITS: i32 = 2;
const BLOCK_CELLS: usize = 1 << (3 * BLOCK_BITS);
/// Less than this share of active neighbours is no basis for an interpolation.
const MIN_WEIGHT: f32 = 1e-3;
/// How many voxels around are looked through before all are.
const MAX_RING: i32 = 3;

/// Samples a sparse volume: trilinear over the active voxels among the eight around a point, else the nearest active.
pub struct VolumeSampler<'a> {
    volume: &'a PbrVolume,
    blocks: HashMap<u64, u32, BuildHasherDefault<BlockHasher>>,
    cells: Vec<[u32; BLOCK_CELLS]>,
    /// All voxel centres, sorted when a point far from all of them is first asked for.
    far: OnceLock<(SearchTree, Vec<u32>)>,
}

#[derive(Default)]
struct BlockHasher(u64);

impl Hasher for BlockHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte) ^ self.0.rotate_left(8));
        }
    }

    fn write_u64(&mut self, key: u64) {
        let mixed = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

impl<'a> VolumeSampler<'a> {
    /// Sorts the voxels of a volume into blocks. Samples that are not finite are left out.
    pub fn new(volume: &'a PbrVolume) -> Result<Self, MeshError> {
        if !volume.is_consistent() {
            return Err(MeshError::BadVolume);
        }
        let mut blocks: HashMap<u64, u32, BuildHasherDefault<BlockHasher>> = HashMap::default();
        let mut cells: Vec<[u32; BLOCK_CELLS]> = Vec::new();
        for (index, (&cell, sample)) in volume.coords.iter().zip(&volume.samples).enumerate() {
            if is_finite(sample) {
                let block = *blocks.entry(block_key(cell)).or_insert_with(|| {
                    cells.push([NONE; BLOCK_CELLS]);
                    cells.len() as u32 - 1
                });
                cells[block as usize][cell_in_block(cell)] = index as u32;
            }
        }
        if cells.is_empty() {
            return Err(MeshError::BadVolume);
        }
        Ok(Self {
            volume,
            blocks,
            cells,
            far: OnceLock::new(),
        })
    }

    /// The material at a point of the model frame.
    pub fn at(&self, point: Vec3) -> PbrSample {
        let place = (point - self.volume.origin) / self.volume.voxel_size - 0.5;
        let base = place.floor();
        let fraction = place - base;
        let base = base.as_ivec3();
        let (mut sum, mut total) = (PbrSample::default(), 0.0);
        let mut last_block = (u64::MAX, NONE);
        for corner in 0..8 {
            let offset = IVec3::new(corner & 1, (corner >> 1) & 1, corner >> 2);
            let index = self.active(base.wrapping_add(offset), &mut last_block);
            if index != NONE {
                let share = |axis: usize| {
                    if offset[axis] == 1 {
                        fraction[axis]
                    } else {
                        1.0 - fraction[axis]
                    }
                };
                let weight = share(0) * share(1) * share(2);
                sum = sum.plus(self.volume.samples[index as usize].scaled(weight));
                total += weight;
            }
        }
        if total > MIN_WEIGHT {
            sum.scaled(1.0 / total)
        } else {
            self.volume.samples[self.nearest_active(place) as usize]
        }
    }

    fn active(&self, cell: IVec3, last_block: &mut (u64, u32)) -> u32 {
        let key = block_key(cell);
        if last_block.0 != key {
            *last_block = (key, self.blocks.get(&key).copied().unwrap_or(NONE));
        }
        if last_block.1 == NONE {
            NONE
        } else {
            self.cells[last_block.1 as usize][cell_in_block(cell)]
        }
    }

    /// Index of the active voxel closest to a place in units of voxels, centres at whole numbers.
    fn nearest_active(&self, place: Vec3) -> u32 {
        let center = place.round().as_ivec3();
        let mut last_block = (u64::MAX, NONE);
        let mut best = (f32::INFINITY, NONE);
        for ring in 0..=MAX_RING {
            // Whatever a ring holds is at least half a voxel closer than its number.
            if best.0 <= (ring as f32 - 0.5).powi(2) {
                break;
            }
            for z in -ring..=ring {
                for y in -ring..=ring {
                    let is_shell = z.abs() == ring || y.abs() == ring;
                    for x in (-ring..=ring).step_by(if is_shell || ring == 0 { 1 } else { 2 * ring as usize }) {
                        let cell = center.wrapping_add(IVec3::new(x, y, z));
                        let index = self.active(cell, &mut last_block);
                        let distance = cell.as_vec3().distance_squared(place);
                        if index != NONE && (distance, index) < best {
                            best = (distance, index);
                        }
                    }
                }
            }
        }
        if best.1 != NONE {
            return best.1;
        }
        let (tree, indices) = self.far.get_or_init(|| {
            let indices: Vec<u32> = (0..self.volume.coords.len() as u32)
                .filter(|&index| is_finite(&self.volume.samples[index as usize]))
                .collect();
            let points: Vec<Vec3> = indices
                .iter()
                .map(|&index| self.volume.coords[index as usize].as_vec3())
                .collect();
            (SearchTree::of_points(&points), indices)
        });
        tree.nearest(place)
            .map_or(indices[0], |found| indices[found.face as usize])
    }
}

impl Sampler for VolumeSampler<'_> {
    fn sample(&self, hit: &Nearest, _normal: Vec3) -> PbrSample {
        self.at(hit.point)
    }
}

fn is_finite(sample: &PbrSample) -> bool {
    bytemuck::cast_ref::<PbrSample, [f32; 6]>(sample)
        .iter()
        .all(|value| value.is_finite())
}

fn block_key(cell: IVec3) -> u64 {
    let part = |value: i32| u64::from((value >> BLOCK_BITS) as u32 & 0x1F_FFFF);
    part(cell.x) | (part(cell.y) << 21) | (part(cell.z) << 42)
}

fn cell_in_block(cell: IVec3) -> usize {
    let part = |value: i32| (value & ((1 << BLOCK_BITS) - 1)) as usize;
    part(cell.x) | (part(cell.y) << BLOCK_BITS) | (part(cell.z) << (2 * BLOCK_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn red(value: f32) -> PbrSample {
        PbrSample {
            base_color: [value, 0.0, 0.0],
            alpha: 1.0,
            metallic: 0.0,
            roughness: 1.0,
        }
    }

    fn volume(voxels: &[(IVec3, f32)]) -> PbrVolume {
        PbrVolume {
            origin: Vec3::splat(-0.5),
            voxel_size: 0.125,
            resolution: 8,
            coords: voxels.iter().map(|voxel| voxel.0).collect(),
            samples: voxels.iter().map(|voxel| red(voxel.1)).collect(),
        }
    }

    #[test]
    fn linear_functions_come_back_exactly() {
        let voxels: Vec<(IVec3, f32)> = (0..512)
            .map(|i| IVec3::new(i % 8, i / 8 % 8, i / 64))
            .map(|c| (c, 0.1 * c.x as f32 + 0.02 * c.y as f32))
            .collect();
        let volume = volume(&voxels);
        let sampler = VolumeSampler::new(&volume).unwrap();
        for place in [
            Vec3::new(3.25, 4.5, 2.75),
            Vec3::new(1.0, 2.0, 3.0),
            Vec3::new(6.9, 0.1, 6.5),
        ] {
            let value = sampler.at(volume.origin + (place + 0.5) * volume.voxel_size).base_color[0];
            assert!(
                (value - (0.1 * place.x + 0.02 * place.y)).abs() < 1e-5,
                "{value} at {place}"
            );
        }
    }

    #[test]
    fn outside_the_nearest_active_voxel_counts() {
        let volume = volume(&[(IVec3::new(1, 1, 1), 0.25), (IVec3::new(6, 6, 6), 0.75)]);
        let sampler = VolumeSampler::new(&volume).unwrap();
        let at = |place: Vec3| sampler.at(volume.origin + (place + 0.5) * volume.voxel_size).base_color[0];
        assert_eq!(at(Vec3::new(1.4, 1.0, 1.0)), 0.25);
        assert_eq!(at(Vec3::new(3.0, 3.0, 3.0)), 0.25);
        assert_eq!(at(Vec3::new(5.0, 4.0, 4.0)), 0.75);
        assert_eq!(at(Vec3::splat(-900.0)), 0.25);
        assert_eq!(at(Vec3::splat(900.0)), 0.75);
    }

    #[test]
    fn damaged_volumes_are_refused() {
        let mut broken = volume(&[(IVec3::new(1, 1, 1), f32::NAN)]);
        assert_eq!(VolumeSampler::new(&broken).err(), Some(MeshError::BadVolume));
        broken.samples.clear();
        assert_eq!(VolumeSampler::new(&broken).err(), Some(MeshError::BadVolume));
    }
}
