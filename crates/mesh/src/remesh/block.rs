//! Cubes of cells within a brick, and whether one vertex can stand for the surface in them (Ju et al. 2002; Schaefer, Ju
//! and Warren 2007).

use glam::Vec3;

use super::lattice::Rows;
use crate::cell_pattern::Pattern;

/// From one sample of a side to the one below it, in bits: one more than there are in a row, so that rows do not touch.
const STRIDE: usize = 10;

/// A cube of cells: 1, 2, 4 or 8 along each axis, at a multiple of that in its brick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) low: [usize; 3],
    pub(super) size: usize,
}

impl Block {
    pub(super) fn eighths(self) -> [Self; 8] {
        let size = self.size / 2;
        std::array::from_fn(|corner| Self {
            low: std::array::from_fn(|axis| self.low[axis] + (corner >> axis & 1) * size),
            size,
        })
    }

    pub(super) fn lowest(self) -> Vec3 {
        Vec3::from_array(self.low.map(|place| place as f32))
    }

    /// Bits of its cells in a row of nine samples.
    fn columns(self) -> u16 {
        ((1 << self.size) - 1) << self.low[0]
    }

    /// Whether the surface passes through as a single disk whose rim a cube of eight samples would tell: once over each
    /// edge that it crosses and in one line over each side.
    ///
    /// Then what is beside the block sees no difference between it and a large cell, the rim is one loop, and a vertex
    /// joined to that loop is what the cells within would make, but for detail.
    pub(super) fn holds_one_disk(self, rows: &Rows) -> bool {
        Pattern::of(self.corners(rows)).num_sheets == 1
            && (0..3).all(|axis| {
                [0, self.size]
                    .into_iter()
                    .all(|at| self.side(rows, axis, self.low[axis] + at).is_plain())
            })
            && self.euler_characteristic(rows) == 1
    }

    /// Bit set of the inside ones of its eight corners.
    fn corners(self, rows: &Rows) -> u8 {
        let [x, y, z] = self.low;
        (0..4).fold(0, |bits, row| {
            let samples = rows.0[z + row / 2 * self.size][y + row % 2 * self.size] >> x;
            let pair = samples & 1 | (samples >> self.size & 1) << 1;
            bits | (pair as u8) << (2 * row)
        })
    }

    /// Samples of the layer at a place across an axis.
    fn side(self, rows: &Rows, axis: usize, at: usize) -> Side {
        let [x, y, z] = self.low;
        let len = self.size + 1;
        let mut inside = 0;
        for i in 0..len {
            let row = match axis {
                0 => (0..len).fold(0, |row, j| row | (rows.0[z + i][y + j] >> at & 1) << j),
                1 => rows.0[z + i][at] >> x,
                _ => rows.0[at][y + i] >> x,
            };
            inside |= u128::from(row & ((1 << len) - 1)) << (i * STRIDE);
        }
        Side { inside, len }
    }

    /// Vertices less edges plus faces of the surface in it, with a vertex in each cell: 1 for a disk.
    fn euler_characteristic(self, rows: &Rows) -> i32 {
        let [_, y, z] = self.low;
        let cells = self.columns();
        // Between two cells.
        let between = cells & cells << 1;
        let count = |bits: u16| bits.count_ones() as i32;
        let mut sum = 0;
        for k in z..z + self.size {
            for j in y..y + self.size {
                let [here, up, deep, both] =
                    [(k, j), (k, j + 1), (k + 1, j), (k + 1, j + 1)].map(|(k, j)| rows.0[k][j]);
                sum += count(rows.crossed_cells(k, j) & cells);
                sum -= count(mixed([here, up, deep, both]) & between);
                if j > y {
                    sum += count((here ^ deep) & between) - count(mixed([here, here >> 1, deep, deep >> 1]) & cells);
                }
                if k > z {
                    sum += count((here ^ up) & between) - count(mixed([here, here >> 1, up, up >> 1]) & cells);
                }
                if j > y && k > z {
                    sum += count((here ^ here >> 1) & cells);
                }
            }
        }
        sum
    }
}

/// Bits that some have and some have not.
pub(super) fn mixed<const N: usize>(rows: [u16; N]) -> u16 {
    let (any, all) = rows
        .into_iter()
        .fold((0, u16::MAX), |(any, all), row| (any | row, all & row));
    any & !all
}

/// The samples on a side of a block, row by row.
struct Side {
    inside: u128,
    len: usize,
}

impl Side {
    /// Whether the surface does not cross it, or crosses it in one line between two different edges.
    fn is_plain(&self) -> bool {
        let (len, last) = (self.len, self.len - 1);
        let rows = |columns: u128| (0..len).fold(0, |bits, row| bits | columns << (row * STRIDE));
        let all = rows((1 << len) - 1);
        if self.inside == 0 || self.inside == all {
            return true;
        }
        let has = |x: usize, y: usize| self.inside >> (y * STRIDE + x) & 1;
        let corners = [has(0, 0), has(last, 0), has(last, last), has(0, last)];
        let num_corner_changes = (0..4).filter(|&i| corners[i] != corners[(i + 1) % 4]).count();
        let across = (self.inside ^ self.inside >> 1) & rows((1 << last) - 1);
        let down = (self.inside ^ self.inside >> STRIDE) & (all >> STRIDE);
        let top_and_bottom = ((1 << last) - 1) * (1 | 1 << (last * STRIDE));
        let num_changes = (across & top_and_bottom).count_ones() + (down & rows(1 | 1 << last)).count_ones();
        num_corner_changes == 2 && num_changes == 2 && is_connected(self.inside) && is_connected(all & !self.inside)
    }
}

/// Whether one can walk between all samples of a set, which is not empty.
fn is_connected(samples: u128) -> bool {
    let mut reached = samples & samples.wrapping_neg();
    loop {
        let grown = (reached | reached << 1 | reached >> 1 | reached << STRIDE | reached >> STRIDE) & samples;
        if grown == reached {
            return reached == samples;
        }
        reached = grown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(is_inside: impl Fn(Vec3) -> bool) -> Rows {
        let row = |z: usize, y: usize| {
            (0..9).fold(0, |bits, x| {
                bits | u16::from(is_inside(Vec3::new(x as f32, y as f32, z as f32))) << x
            })
        };
        Rows(std::array::from_fn(|z| std::array::from_fn(|y| row(z, y))))
    }

    const WHOLE: Block = Block { low: [0; 3], size: 8 };

    #[test]
    fn planes_and_corners_are_disks() {
        for turn in 0..60 {
            let angle = turn as f32 * 0.41;
            let normal = Vec3::new(angle.sin(), (angle * 1.7).cos(), (angle * 0.6).sin()).normalize();
            let plane = rows(|sample| (sample - 4.2).dot(normal) < 0.0);
            assert!(WHOLE.holds_one_disk(&plane), "{normal}");
        }
        assert!(WHOLE.holds_one_disk(&rows(|sample| sample.max_element() < 3.5)));
        assert!(WHOLE.holds_one_disk(&rows(|sample| sample.x + sample.y < 5.5)));
    }

    #[test]
    fn what_a_large_cell_would_not_see_is_no_disk() {
        let dent = |sample: Vec3| sample.z < 3.5 && (sample - Vec3::new(4.0, 0.0, 0.0)).length() > 1.5;
        let handle =
            |sample: Vec3| sample.z < 1.5 || (sample.z < 4.5 && sample.y == 4.0 && [2.0, 6.0].contains(&sample.x));
        let arch =
            |sample: Vec3| handle(sample) || (sample.z == 4.0 && sample.y == 4.0 && (2.0..7.0).contains(&sample.x));
        for (name, is_disk, rows) in [
            ("nothing", false, rows(|_| false)),
            (
                "a ball within",
                false,
                rows(|sample| sample.distance(Vec3::splat(4.0)) < 2.5),
            ),
            ("two walls", false, rows(|sample| (2.5..5.5).contains(&sample.z))),
            (
                "a ball beside a wall",
                false,
                rows(|sample| sample.z < 1.5 || sample.distance(Vec3::splat(5.0)) < 1.5),
            ),
            ("a dent over an edge", false, rows(dent)),
            ("posts", true, rows(handle)),
            ("an arch", false, rows(arch)),
            (
                "a tunnel",
                false,
                rows(|sample| sample.z < 6.5 && (sample.x, sample.z) != (4.0, 3.0)),
            ),
        ] {
            assert_eq!(WHOLE.holds_one_disk(&rows), is_disk, "{name}");
        }
    }
}
