use bozzetto_engine::EngineError;
use glam::Vec3;
use rayon::prelude::*;

use crate::progress::Part;

/// A small field with every sample kept, over a cube about the origin.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    pub side: usize,
    pub step: f32,
    origin: f32,
    pub values: Vec<f32>,
}

impl Dense {
    /// `cells` cells along each side of the cube `[-0.5, 0.5]^3` and two more at each end.
    pub fn new(cells: usize) -> Self {
        let step = 1.0 / cells as f32;
        let side = cells + 5;
        Self {
            side,
            step,
            origin: -0.5 - 2.0 * step,
            values: vec![0.0; side * side * side],
        }
    }

    pub fn position(&self, index: usize) -> Vec3 {
        let n = self.side;
        let at = Vec3::new((index % n) as f32, (index / n % n) as f32, (index / (n * n)) as f32);
        Vec3::splat(self.origin) + at * self.step
    }

    /// Sets every sample to `function(index)`.
    pub fn fill(&mut self, function: &(dyn Fn(usize) -> f32 + Sync), part: &Part<'_, '_>) -> Result<(), EngineError> {
        let row = self.side;
        self.values
            .par_chunks_mut(row)
            .enumerate()
            .try_for_each(|(chunk, values)| {
                part.check()?;
                for (offset, value) in values.iter_mut().enumerate() {
                    *value = function(chunk * row + offset);
                }
                Ok(())
            })
    }

    /// Trilinear value; points beyond the cube take the rim's.
    pub fn sample(&self, point: Vec3) -> f32 {
        let limit = (self.side - 1) as f32 - 1e-3;
        let at = ((point - self.origin) / self.step).clamp(Vec3::ZERO, Vec3::splat(limit));
        let base = at.floor();
        let f = at - base;
        let n = self.side;
        let low = (base.z as usize * n + base.y as usize) * n + base.x as usize;
        let along_x = |offset: usize| {
            let first = self.values[low + offset];
            first + f.x * (self.values[low + offset + 1] - first)
        };
        let near = along_x(0) + f.y * (along_x(n) - along_x(0));
        let far = along_x(n * n) + f.y * (along_x(n * n + n) - along_x(n * n));
        near + f.z * (far - near)
    }

    /// Samples in the cube of half side `reach` about a point.
    pub fn nodes_within(&self, point: Vec3, reach: f32) -> Vec<usize> {
        let limit = Vec3::splat((self.side - 1) as f32);
        let index = |at: Vec3| ((at - self.origin) / self.step).clamp(Vec3::ZERO, limit);
        let (low, high) = (index(point - reach).ceil().as_uvec3(), index(point + reach).as_uvec3());
        let n = self.side as u32;
        let mut nodes = Vec::new();
        for z in low.z..=high.z {
            for y in low.y..=high.y {
                nodes.extend((low.x..=high.x).map(|x| ((z * n + y) * n + x) as usize));
            }
        }
        nodes
    }

    /// Samples next to one along the axes; those beyond the cube are left out.
    pub fn neighbors(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let n = self.side;
        let at = [index % n, index / n % n, index / (n * n)];
        [1, n, n * n].into_iter().enumerate().flat_map(move |(axis, stride)| {
            let before = (at[axis] > 0).then(|| index - stride);
            let after = (at[axis] + 1 < n).then(|| index + stride);
            [before, after].into_iter().flatten()
        })
    }

    /// Replaces each sample by a mean of itself and its neighbours, some times.
    pub fn smooth(&mut self, times: usize, part: &Part<'_, '_>) -> Result<(), EngineError> {
        for _ in 0..times {
            let before = self.clone();
            self.fill(
                &|index| {
                    let (sum, count) = before.neighbors(index).fold((0.0, 0.0), |(sum, count), next| {
                        (sum + before.values[next], count + 1.0)
                    });
                    before.values[index] * 0.5 + 0.5 * sum / count
                },
                part,
            )?;
        }
        Ok(())
    }
}
