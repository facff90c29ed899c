//! A scalar field on a regular lattice, kept only near its zero surface: negative inside, metres.

use bozzetto_engine::EngineError;
use glam::{IVec3, Vec3};
use rayon::prelude::*;

use crate::progress::Part;

/// Samples along the edge of a brick.
pub(crate) const BRICK: i32 = 8;
const BRICK_LEN: usize = (BRICK * BRICK * BRICK) as usize;
/// Steps from the surface within which every sample is kept.
const BAND: f32 = 3.0;
const OUTSIDE: i32 = -1;
const INSIDE: i32 = -2;

/// Where the samples lie: sample `(i, j, k)` at `origin + step * (i, j, k)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lattice {
    pub origin: Vec3,
    pub step: f32,
    /// Bricks along an axis.
    pub num_bricks: i32,
}

impl Lattice {
    /// A lattice of `resolution` steps along each side of the cube `[-0.5, 0.5]^3`, with a margin all round.
    pub fn unit_cube(resolution: usize) -> Self {
        let margin = 4;
        let num_bricks = (resolution as i32 + 1 + 2 * margin + BRICK - 1) / BRICK;
        let step = 1.0 / resolution as f32;
        Self {
            origin: Vec3::splat(-0.5 - margin as f32 * step),
            step,
            num_bricks,
        }
    }

    pub fn position(&self, sample: IVec3) -> Vec3 {
        self.origin + sample.as_vec3() * self.step
    }

    fn brick_index(&self, brick: IVec3) -> Option<usize> {
        let n = self.num_bricks;
        let inside = brick.min_element() >= 0 && brick.max_element() < n;
        inside.then(|| ((brick.z * n + brick.y) * n + brick.x) as usize)
    }

    fn brick_at(&self, index: usize) -> IVec3 {
        let n = self.num_bricks as usize;
        IVec3::new((index % n) as i32, (index / n % n) as i32, (index / (n * n)) as i32)
    }
}

/// A field in bricks of samples; bricks far from the surface hold only their side.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub lattice: Lattice,
    table: Vec<i32>,
    /// Coordinates of the kept bricks in raster order.
    pub bricks: Vec<IVec3>,
    values: Vec<f32>,
}

impl Field {
    /// Evaluates `function` where its zero surface may pass. `function` must not grow faster than distance times
    /// `steepness`; where it does all the same, bricks are added until no sign change lies between kept and left-out.
    pub fn evaluate(
        lattice: Lattice,
        steepness: f32,
        function: &(dyn Fn(Vec3) -> f32 + Sync),
        part: &Part<'_, '_>,
    ) -> Result<Self, EngineError> {
        let n = lattice.num_bricks;
        let half = lattice.step * (BRICK - 1) as f32 * 0.5;
        let reach = (half * 3f32.sqrt() + 2.5 * lattice.step) * steepness;
        let mut table = vec![OUTSIDE; (n * n * n) as usize];
        let coarse = coarse_signs(&lattice, steepness, function, part)?;
        table.par_iter_mut().enumerate().try_for_each(|(index, slot)| {
            part.check()?;
            let brick = lattice.brick_at(index);
            let known = coarse[coarse_index(brick, n)];
            *slot = if known == 0 {
                let value = function(lattice.position(brick * BRICK) + half);
                match value {
                    value if value > reach => OUTSIDE,
                    value if value < -reach => INSIDE,
                    _ => 0,
                }
            } else {
                known
            };
            Ok::<(), EngineError>(())
        })?;
        let mut field = Self {
            lattice,
            table,
            bricks: Vec::new(),
            values: Vec::new(),
        };
        field.number_bricks();
        field.values = field.filled(&field.bricks, function, part)?;
        field.drop_far_bricks();
        field.close_gaps(function, part)?;
        Ok(field)
    }

    /// Keeps only the bricks that come within a few steps of the surface; the others hold their side.
    fn drop_far_bricks(&mut self) {
        let near = BAND * self.lattice.step;
        let kept: Vec<bool> = self
            .values
            .par_chunks(BRICK_LEN)
            .map(|chunk| chunk.iter().any(|value| value.abs() < near))
            .collect();
        let mut values = Vec::with_capacity(kept.iter().filter(|kept| **kept).count() * BRICK_LEN);
        for (slot, brick) in self.bricks.iter().enumerate() {
            let chunk = &self.values[slot * BRICK_LEN..(slot + 1) * BRICK_LEN];
            if kept[slot] {
                values.extend_from_slice(chunk);
            } else if let Some(index) = self.lattice.brick_index(*brick) {
                self.table[index] = if chunk[0] < 0.0 { INSIDE } else { OUTSIDE };
            }
        }
        self.values = values;
        self.number_bricks();
    }

    fn number_bricks(&mut self) {
        self.bricks.clear();
        for index in 0..self.table.len() {
            if self.table[index] >= 0 {
                self.table[index] = self.bricks.len() as i32;
                self.bricks.push(self.lattice.brick_at(index));
            }
        }
    }

    fn filled(
        &self,
        bricks: &[IVec3],
        function: &(dyn Fn(Vec3) -> f32 + Sync),
        part: &Part<'_, '_>,
    ) -> Result<Vec<f32>, EngineError> {
        let mut values = vec![0.0; bricks.len() * BRICK_LEN];
        values
            .par_chunks_mut(BRICK_LEN)
            .zip(bricks)
            .try_for_each(|(chunk, brick)| {
                for (offset, value) in chunk.iter_mut().enumerate() {
                    *value = function(self.lattice.position(*brick * BRICK + local_at(offset)));
                }
                part.advance(1)
            })?;
        Ok(values)
    }

    /// Adds left-out bricks whose side differs from a neighbouring sample, until none is left: what makes the
    /// extracted surface closed whatever the function.
    fn close_gaps(&mut self, function: &(dyn Fn(Vec3) -> f32 + Sync), part: &Part<'_, '_>) -> Result<(), EngineError> {
        loop {
            let missing = self.bricks_across_sign_changes();
            if missing.is_empty() {
                return Ok(());
            }
            let added = self.filled(&missing, function, part)?;
            for &brick in &missing {
                if let Some(index) = self.lattice.brick_index(brick) {
                    self.table[index] = self.bricks.len() as i32;
                    self.bricks.push(brick);
                }
            }
            self.values.extend(added);
        }
    }

    fn bricks_across_sign_changes(&self) -> Vec<IVec3> {
        let mut missing: Vec<usize> = (0..self.table.len())
            .into_par_iter()
            .flat_map_iter(|index| {
                let brick = self.lattice.brick_at(index);
                let mut found = Vec::new();
                for axis in [IVec3::X, IVec3::Y, IVec3::Z] {
                    let Some(next) = self.lattice.brick_index(brick + axis) else {
                        continue;
                    };
                    if (self.table[index] < 0 || self.table[next] < 0) && self.differs_across(brick, axis) {
                        found.extend([index, next].into_iter().filter(|&slot| self.table[slot] < 0));
                    }
                }
                found
            })
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing.into_iter().map(|index| self.lattice.brick_at(index)).collect()
    }

    /// Whether the sign changes between a brick's last layer along an axis and the next brick's first.
    fn differs_across(&self, brick: IVec3, axis: IVec3) -> bool {
        let (u, v) = (IVec3::new(axis.y, axis.z, axis.x), IVec3::new(axis.z, axis.x, axis.y));
        (0..BRICK * BRICK).any(|i| {
            let sample = brick * BRICK + axis * (BRICK - 1) + u * (i % BRICK) + v * (i / BRICK);
            (self.value(sample) < 0.0) != (self.value(sample + axis) < 0.0)
        })
    }

    /// The sample's value; far from the surface only its sign is right.
    pub fn value(&self, sample: IVec3) -> f32 {
        let far = self.lattice.step * BRICK as f32;
        let brick = sample.div_euclid(IVec3::splat(BRICK));
        match self
            .lattice
            .brick_index(brick)
            .map_or(OUTSIDE, |index| self.table[index])
        {
            OUTSIDE => far,
            INSIDE => -far,
            slot => self.values[slot as usize * BRICK_LEN + offset_of(sample - brick * BRICK)],
        }
    }

    /// Whether the sample's value is kept.
    pub fn has(&self, sample: IVec3) -> bool {
        let brick = sample.div_euclid(IVec3::splat(BRICK));
        self.lattice
            .brick_index(brick)
            .is_some_and(|index| self.table[index] >= 0)
    }

    /// Sum of the six neighbours' values; `None` where one of them is not kept.
    pub fn sum_of_neighbors(&self, sample: IVec3) -> Option<f32> {
        let brick = sample.div_euclid(IVec3::splat(BRICK));
        let local = sample - brick * BRICK;
        if local.min_element() > 0 && local.max_element() < BRICK - 1 {
            let slot = self
                .lattice
                .brick_index(brick)
                .map(|index| self.table[index])
                .filter(|slot| *slot >= 0)?;
            let at = slot as usize * BRICK_LEN + offset_of(local);
            let (row, layer) = (BRICK as usize, (BRICK * BRICK) as usize);
            let v = &self.values;
            return Some(v[at - 1] + v[at + 1] + v[at - row] + v[at + row] + v[at - layer] + v[at + layer]);
        }
        let mut sum = 0.0;
        for axis in IVec3::AXES {
            for next in [sample - axis, sample + axis] {
                if !self.has(next) {
                    return None;
                }
                sum += self.value(next);
            }
        }
        Some(sum)
    }

    /// Changes a kept sample; left-out ones stay as they are.
    pub fn set(&mut self, sample: IVec3, value: f32) {
        let brick = sample.div_euclid(IVec3::splat(BRICK));
        if let Some(slot) = self.lattice.brick_index(brick).map(|index| self.table[index])
            && slot >= 0
        {
            self.values[slot as usize * BRICK_LEN + offset_of(sample - brick * BRICK)] = value;
        }
    }

    /// Replaces every kept sample by `change(sample, value)`.
    pub fn map(
        &mut self,
        change: &(dyn Fn(&Self, IVec3, f32) -> f32 + Sync),
        part: &Part<'_, '_>,
    ) -> Result<(), EngineError> {
        let mut values = vec![0.0; self.values.len()];
        let field = &*self;
        values
            .par_chunks_mut(BRICK_LEN)
            .enumerate()
            .try_for_each(|(slot, chunk)| {
                let low = field.bricks[slot] * BRICK;
                for (offset, value) in chunk.iter_mut().enumerate() {
                    *value = change(field, low + local_at(offset), field.values[slot * BRICK_LEN + offset]);
                }
                part.advance(1)
            })?;
        self.values = values;
        Ok(())
    }

    /// Trilinear value at a point.
    pub fn sample(&self, point: Vec3) -> f32 {
        let at = (point - self.lattice.origin) / self.lattice.step;
        let base = at.floor();
        let f = at - base;
        let corners = self.corners(base.as_ivec3());
        let along_x: [f32; 4] = std::array::from_fn(|i| corners[2 * i] + f.x * (corners[2 * i + 1] - corners[2 * i]));
        let low = along_x[0] + f.y * (along_x[1] - along_x[0]);
        let high = along_x[2] + f.y * (along_x[3] - along_x[2]);
        low + f.z * (high - low)
    }

    /// Values at a cell's eight corners; bit 0 of the index is x, bit 1 y, bit 2 z.
    pub fn corners(&self, cell: IVec3) -> [f32; 8] {
        let brick = cell.div_euclid(IVec3::splat(BRICK));
        let local = cell - brick * BRICK;
        if local.max_element() < BRICK - 1
            && let Some(slot) = self.lattice.brick_index(brick).map(|index| self.table[index])
            && slot >= 0
        {
            let base = slot as usize * BRICK_LEN + offset_of(local);
            let (row, layer) = (BRICK as usize, (BRICK * BRICK) as usize);
            return std::array::from_fn(|corner| {
                self.values[base + (corner & 1) + (corner >> 1 & 1) * row + (corner >> 2) * layer]
            });
        }
        std::array::from_fn(|corner| self.value(cell + corner_offset(corner)))
    }

    /// Gradient by central differences of the trilinear value, one step apart.
    pub fn gradient(&self, point: Vec3) -> Vec3 {
        let h = self.lattice.step * 0.75;
        let along = |axis: Vec3| self.sample(point + axis * h) - self.sample(point - axis * h);
        Vec3::new(along(Vec3::X), along(Vec3::Y), along(Vec3::Z)) / (2.0 * h)
    }

    pub fn num_bytes(&self) -> u64 {
        (self.values.len() * 4 + self.table.len() * 4 + self.bricks.len() * 12) as u64
    }
}

/// Offset of a cell's corner; bit 0 of the index is x, bit 1 y, bit 2 z.
pub(crate) fn corner_offset(corner: usize) -> IVec3 {
    IVec3::new((corner & 1) as i32, (corner >> 1 & 1) as i32, (corner >> 2) as i32)
}

/// A brick's sample by its place in the brick's values.
pub(crate) fn local_at(offset: usize) -> IVec3 {
    let (offset, n) = (offset as i32, BRICK);
    IVec3::new(offset % n, offset / n % n, offset / (n * n))
}

fn offset_of(local: IVec3) -> usize {
    ((local.z * BRICK + local.y) * BRICK + local.x) as usize
}

/// Bricks along the edge of a block that is decided by one evaluation.
const BLOCK: i32 = 4;

fn coarse_index(brick: IVec3, num_bricks: i32) -> usize {
    let n = (num_bricks + BLOCK - 1) / BLOCK;
    let block = brick / BLOCK;
    ((block.z * n + block.y) * n + block.x) as usize
}

/// For each block of bricks its side, or 0 where the surface may pass.
fn coarse_signs(
    lattice: &Lattice,
    steepness: f32,
    function: &(dyn Fn(Vec3) -> f32 + Sync),
    part: &Part<'_, '_>,
) -> Result<Vec<i32>, EngineError> {
    let n = (lattice.num_bricks + BLOCK - 1) / BLOCK;
    let half = lattice.step * (BLOCK * BRICK - 1) as f32 * 0.5;
    let reach = (half * 3f32.sqrt() + 2.5 * lattice.step) * steepness;
    (0..n * n * n)
        .into_par_iter()
        .map(|index| {
            part.check()?;
            let block = IVec3::new(index % n, index / n % n, index / (n * n));
            let value = function(lattice.position(block * (BLOCK * BRICK)) + half);
            Ok(match value {
                value if value > reach => OUTSIDE,
                value if value < -reach => INSIDE,
                _ => 0,
            })
        })
        .collect()
}
