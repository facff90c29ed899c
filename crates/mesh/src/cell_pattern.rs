//! Which sheets of a surface pass through a cell of a lattice (dual marching cubes, Nielson 2004): a vertex each. For
//! whoever makes a mesh from samples.
//!
//! Corners are numbered by their offset from the cell's own: bit 0 along x, bit 1 along y, bit 2 along z.

use std::sync::LazyLock;

/// The twelve edges of a cell as pairs of corners, the low end first.
const EDGES: [(usize, usize); 12] = [
    (0, 1),
    (2, 3),
    (4, 5),
    (6, 7),
    (0, 2),
    (1, 3),
    (4, 6),
    (5, 7),
    (0, 4),
    (1, 5),
    (2, 6),
    (3, 7),
];
const NO_SHEET: u8 = u8::MAX;

/// Which sheet crosses which edge, for one set of inside corners.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    sheet_of_edge: [u8; 12],
    /// Sheets in the cell, numbered from 0.
    pub num_sheets: u8,
}

impl Pattern {
    /// The pattern of a bit set of inside corners.
    pub fn of(inside: u8) -> &'static Self {
        static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| (0..=255).map(pattern).collect());
        &PATTERNS[inside as usize]
    }

    /// Edges that a sheet crosses, as pairs of corners, the low end first.
    pub fn edges_of(&self, sheet: u8) -> impl Iterator<Item = (usize, usize)> {
        EDGES
            .into_iter()
            .zip(self.sheet_of_edge)
            .filter(move |(_, of_edge)| *of_edge == sheet)
            .map(|(edge, _)| edge)
    }

    /// The sheet that crosses the edge from a corner along an axis.
    pub fn sheet(&self, low: usize, axis: usize) -> u8 {
        // Edges are sorted by axis; within one, by the corner without the axis' bit.
        let rest = (low & ((1 << axis) - 1)) | (low >> (axis + 1)) << axis;
        self.sheet_of_edge[axis * 4 + rest]
    }
}

/// On a cell without a face whose inside corners lie on a diagonal, the corners' connected groups are the regions that
/// the sheets separate. The faces' crossings then form one loop for each pair of groups that touch, so a sheet is a
/// disk and is known by the two groups it lies between.
fn pattern(inside: u8) -> Pattern {
    let is_inside = |corner: usize| inside >> corner & 1 == 1;
    let mut group: [usize; 8] = std::array::from_fn(|corner| corner);
    for _ in 0..8 {
        for (a, b) in EDGES {
            if is_inside(a) == is_inside(b) {
                let least = group[a].min(group[b]);
                group[a] = least;
                group[b] = least;
            }
        }
    }
    let mut sheets: Vec<(usize, usize)> = Vec::new();
    let mut sheet_of_edge = [NO_SHEET; 12];
    for (edge, (a, b)) in EDGES.into_iter().enumerate() {
        if is_inside(a) != is_inside(b) {
            let (within, without) = if is_inside(a) { (a, b) } else { (b, a) };
            let key = (group[within], group[without]);
            let sheet = sheets.iter().position(|known| *known == key).unwrap_or_else(|| {
                sheets.push(key);
                sheets.len() - 1
            });
            sheet_of_edge[edge] = sheet as u8;
        }
    }
    Pattern {
        sheet_of_edge,
        num_sheets: sheets.len() as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_found_by_their_low_end() {
        for (edge, (low, high)) in EDGES.into_iter().enumerate() {
            let axis = (low ^ high).trailing_zeros() as usize;
            let mut pattern = *Pattern::of(0);
            pattern.sheet_of_edge[edge] = 7;
            assert_eq!(pattern.sheet(low, axis), 7, "{low} {high}");
        }
    }

    #[test]
    fn opposite_corners_have_a_sheet_each() {
        assert_eq!(Pattern::of(0b1000_0001).num_sheets, 2);
        assert_eq!(Pattern::of(0b0111_1110).num_sheets, 2);
        assert_eq!(Pattern::of(0b0000_1111).num_sheets, 1);
        assert_eq!(Pattern::of(0).num_sheets, 0);
    }
}
