//! The lattice of samples, kept in bricks near the surface only, one bit a sample: inside or outside.

use glam::{IVec3, Vec3};

use super::block::mixed;
use crate::topology::NONE;

/// Samples along the edge of a brick.
pub(super) const BRICK: i32 = 8;
/// Samples of a brick.
pub(super) const BRICK_LEN: usize = (BRICK * BRICK * BRICK) as usize;
/// Free cells between the surface and the lattice's rim.
const MARGIN: f32 = 2.0;
/// Where the bounding box lies within a cell. Not a simple fraction, so that walls of a box fall between samples.
const SHIFT: f32 = 0.37;
/// Bits of a word whose sample has `x == 0`.
const FIRST_COLUMN: u64 = 0x0101_0101_0101_0101;

/// A bit for each sample of a brick: word `z`, bit `x + 8 y`.
pub(super) type Mask = [u64; 8];

/// Where the samples lie. All of the remesh works in units of a cell, with the first sample at the origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lattice {
    origin: Vec3,
    pub(super) cell: f32,
    /// Bricks along each axis.
    pub(super) num_bricks: IVec3,
}

impl Lattice {
    /// Covers a box with `resolution` cells along its longest side and, all round, `reach` cells more. `None` when the
    /// box is too small or too large for its cells to be measured.
    pub(super) fn around(low: Vec3, high: Vec3, resolution: u32, reach: f32) -> Option<Self> {
        let extent = high - low;
        let cell = extent.max_element() / resolution as f32;
        if !(cell.is_normal() && cell.recip().is_normal() && extent.is_finite()) {
            return None;
        }
        let margin = MARGIN + SHIFT + reach;
        let num_samples = (extent / cell + (2.0 * margin + 1.0)).ceil().as_ivec3() + 1;
        Some(Self {
            origin: low - margin * cell,
            cell,
            num_bricks: (num_samples + (BRICK - 1)) / BRICK,
        })
    }

    pub(super) fn cells_from_metres(self, position: Vec3) -> Vec3 {
        (position - self.origin) / self.cell
    }

    pub(super) fn metres_from_cells(self, position: Vec3) -> Vec3 {
        self.origin + position * self.cell
    }

    pub(super) fn index_of(&self, brick: IVec3) -> Option<u32> {
        let n = self.num_bricks;
        let is_within = brick.cmpge(IVec3::ZERO).all() && brick.cmplt(n).all();
        is_within.then(|| ((brick.z * n.y + brick.y) * n.x + brick.x) as u32)
    }

    pub(super) fn brick_at(&self, index: u32) -> IVec3 {
        let (i, n) = (index as i32, self.num_bricks);
        IVec3::new(i % n.x, i / n.x % n.y, i / (n.x * n.y))
    }

    /// All bricks, near the surface or not.
    pub(super) fn len(&self) -> usize {
        self.num_bricks.as_usizevec3().element_product()
    }

    /// Samples of a brick that may be inside: not the lattice's rim, so that every solid ends within.
    fn interior(&self, brick: IVec3) -> Mask {
        let mut mask = [u64::MAX; 8];
        let last = self.num_bricks - 1;
        for (z, word) in mask.iter_mut().enumerate() {
            if (brick.z == 0 && z == 0) || (brick.z == last.z && z == 7) {
                *word = 0;
            }
            if brick.y == 0 {
                *word &= !0xFF;
            }
            if brick.y == last.y {
                *word &= !(0xFF << 56);
            }
            if brick.x == 0 {
                *word &= !FIRST_COLUMN;
            }
            if brick.x == last.x {
                *word &= !(FIRST_COLUMN << 7);
            }
        }
        mask
    }

    pub(super) fn is_on_rim(&self, sample: IVec3) -> bool {
        sample.min_element() == 0 || (self.num_bricks * BRICK - 1 - sample).min_element() == 0
    }
}

/// The kept bricks. A brick that is left out has no surface near it and is all on one side.
pub(super) struct Bricks {
    pub(super) lattice: Lattice,
    slots: Vec<u32>,
    pub(super) at: Vec<IVec3>,
    inside: Vec<Mask>,
}

impl Bricks {
    pub(super) fn new(lattice: Lattice) -> Self {
        Self {
            lattice,
            slots: vec![NONE; lattice.len()],
            at: Vec::new(),
            inside: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    /// Keeps a brick from now on.
    pub(super) fn push(&mut self, brick: IVec3, inside: Mask) {
        if let Some(index) = self.lattice.index_of(brick) {
            self.slots[index as usize] = self.at.len() as u32;
            self.at.push(brick);
            self.inside.push(and(&inside, &self.lattice.interior(brick)));
        }
    }

    /// Place of a brick among the kept ones.
    pub(super) fn slot(&self, brick: IVec3) -> Option<usize> {
        let slot = self.slots[self.lattice.index_of(brick)? as usize];
        (slot != NONE).then_some(slot as usize)
    }

    pub(super) fn inside(&self, slot: usize) -> &Mask {
        &self.inside[slot]
    }

    pub(super) fn fill(&mut self, slot: usize, more: &Mask) {
        let interior = self.lattice.interior(self.at[slot]);
        for z in 0..8 {
            self.inside[slot][z] |= more[z] & interior[z];
        }
    }

    /// The side that a whole brick is on; `None` when it holds both.
    pub(super) fn side(&self, slot: usize) -> Option<bool> {
        let inside = &self.inside[slot];
        if inside.iter().all(|&word| word == 0) {
            Some(false)
        } else if inside.iter().all(|&word| word == u64::MAX) {
            Some(true)
        } else {
            None
        }
    }

    /// A brick's samples with the first layer of those behind it along each axis.
    pub(super) fn rows(&self, slot: usize) -> Rows {
        let own = &self.inside[slot];
        let brick = self.at[slot];
        // What is left out has this brick's side; beyond the lattice all is outside.
        let side = if own[0] & 1 == 1 { u64::MAX } else { 0 };
        let masks: [Mask; 8] = std::array::from_fn(|corner| {
            let neighbor = brick + corner_offset(corner);
            match self.slot(neighbor) {
                Some(slot) => self.inside[slot],
                None if self.lattice.index_of(neighbor).is_some() => [side; 8],
                None => [0; 8],
            }
        });
        let mut rows = [[0; 9]; 9];
        for (z, plane) in rows.iter_mut().enumerate() {
            for (y, row) in plane.iter_mut().enumerate() {
                let behind = z / 8 * 4 + y / 8 * 2;
                let of = |mask: &Mask| (mask[z % 8] >> (8 * (y % 8)) & 0xFF) as u16;
                *row = of(&masks[behind]) | (of(&masks[behind + 1]) & 1) << 8;
            }
        }
        Rows(rows)
    }
}

/// Nine samples a row, nine rows a plane, nine planes.
pub(super) struct Rows(pub(super) [[u16; 9]; 9]);

impl Rows {
    pub(super) fn is_one_sided(&self) -> bool {
        let rows = self.0.as_flattened();
        rows.iter().all(|&row| row == 0) || rows.iter().all(|&row| row == 0x1FF)
    }

    /// Bits of the cells with corners on both sides in the row of cells from a sample's.
    pub(super) fn crossed_cells(&self, z: usize, y: usize) -> u16 {
        let [a, b, c, d] = [(z, y), (z, y + 1), (z + 1, y), (z + 1, y + 1)].map(|(z, y)| self.0[z][y]);
        mixed([a, a >> 1, b, b >> 1, c, c >> 1, d, d >> 1]) & 0xFF
    }

    /// Bit set of the inside corners of a cell.
    pub(super) fn pattern(&self, [x, y, z]: [usize; 3]) -> u8 {
        (0..4).fold(0, |bits, row| {
            let pair = self.0[z + row / 2][y + row % 2] >> x & 3;
            bits | (pair as u8) << (2 * row)
        })
    }
}

/// Corner of a cell or of a group of eight bricks: bit 0 is x, bit 1 is y, bit 2 is z.
pub(super) fn corner_offset(corner: usize) -> IVec3 {
    IVec3::new((corner & 1) as i32, (corner >> 1 & 1) as i32, (corner >> 2) as i32)
}

/// Place of a sample in its brick, as in a mask.
pub(super) fn place_of(local: IVec3) -> usize {
    ((local.z * BRICK + local.y) * BRICK + local.x) as usize
}

pub(super) fn local_at(place: usize) -> IVec3 {
    IVec3::new((place % 8) as i32, (place / 8 % 8) as i32, (place / 64) as i32)
}

pub(super) fn has(mask: &Mask, place: usize) -> bool {
    mask[place / 64] >> (place % 64) & 1 == 1
}

pub(super) fn set(mask: &mut Mask, place: usize) {
    mask[place / 64] |= 1 << (place % 64);
}

pub(super) fn and(a: &Mask, b: &Mask) -> Mask {
    std::array::from_fn(|z| a[z] & b[z])
}

pub(super) fn not(mask: &Mask) -> Mask {
    mask.map(|word| !word)
}

/// How many members a mask has before a place.
pub(super) fn rank(mask: &Mask, place: usize) -> usize {
    let before: u32 = mask[..place / 64].iter().map(|word| word.count_ones()).sum();
    (before + (mask[place / 64] & ((1 << (place % 64)) - 1)).count_ones()) as usize
}

/// Places of a mask's members in order.
pub(super) fn members(mask: &Mask) -> impl Iterator<Item = usize> {
    mask.iter().enumerate().flat_map(|(z, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            (rest != 0).then(|| {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                z * 64 + bit
            })
        })
    })
}

/// The connected parts of a mask. `walls[axis]` cuts the step from a sample to the next one along the axis.
pub(super) fn parts(mask: &Mask, walls: &[Mask; 3]) -> Vec<Mask> {
    let mut rest = *mask;
    let mut parts = Vec::new();
    while let Some(z) = rest.iter().position(|&word| word != 0) {
        let seed = z * 64 + rest[z].trailing_zeros() as usize;
        let mut part = [0; 8];
        set(&mut part, seed);
        loop {
            let grown = and(&spread(&part, walls), &rest);
            if grown == part {
                break;
            }
            part = grown;
        }
        rest = and(&rest, &not(&part));
        parts.push(part);
    }
    parts
}

fn spread(part: &Mask, walls: &[Mask; 3]) -> Mask {
    let mut grown = *part;
    for z in 0..8 {
        let word = part[z];
        grown[z] |= (word & !walls[0][z]) << 1 & !FIRST_COLUMN;
        grown[z] |= (word & !FIRST_COLUMN) >> 1 & !walls[0][z];
        grown[z] |= (word & !walls[1][z]) << 8;
        grown[z] |= word >> 8 & !walls[1][z];
        if z < 7 {
            grown[z + 1] |= word & !walls[2][z];
        }
        if z > 0 {
            grown[z - 1] |= word & !walls[2][z - 1];
        }
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_part_a_brick() {
        let everything = [u64::MAX; 8];
        assert_eq!(parts(&everything, &[[0; 8]; 3]), [everything]);
        // Between x = 3 and 4, and between z = 1 and 2.
        let mut walls = [[0; 8]; 3];
        walls[0] = [FIRST_COLUMN << 3; 8];
        walls[2][1] = u64::MAX;
        let parts = parts(&everything, &walls);
        assert_eq!(parts.len(), 4);
        assert_eq!(
            parts.iter().map(|part| members(part).count()).collect::<Vec<_>>(),
            [64, 64, 192, 192]
        );
    }

    #[test]
    fn places_and_ranks() {
        for place in [0, 7, 8, 63, 64, 511] {
            assert_eq!(place_of(local_at(place)), place);
        }
        let mut mask = [0; 8];
        for place in [3, 70, 71, 500] {
            set(&mut mask, place);
        }
        assert_eq!(members(&mask).collect::<Vec<_>>(), [3, 70, 71, 500]);
        assert_eq!([3, 70, 71, 500].map(|place| rank(&mask, place)), [0, 1, 2, 3]);
        assert!(has(&mask, 70) && !has(&mask, 69));
    }
}
