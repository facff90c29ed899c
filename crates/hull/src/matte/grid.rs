use rayon::prelude::*;

/// A row-major image of any cell type, top row first.
#[derive(Clone, Debug)]
pub(crate) struct Grid<T> {
    pub width: usize,
    pub height: usize,
    pub cells: Vec<T>,
}

/// The eight neighbours of a cell, as column and row steps: right and down first, so that the first four visit each
/// pair of neighbours once.
pub(crate) const NEIGHBORS: [[isize; 2]; 8] = [[1, 0], [0, 1], [1, 1], [-1, 1], [-1, 0], [0, -1], [-1, -1], [1, -1]];

impl<T: Clone + Send + Sync> Grid<T> {
    /// A grid of equal cells.
    pub fn filled(width: usize, height: usize, cell: T) -> Self {
        Self {
            width,
            height,
            cells: vec![cell; width * height],
        }
    }

    /// A grid computed cell by cell from column and row, on all threads.
    pub fn from_fn(width: usize, height: usize, cell: impl Fn(usize, usize) -> T + Sync) -> Self {
        let cells = (0..width * height)
            .into_par_iter()
            .with_min_len(1024)
            .map(|index| cell(index % width, index / width))
            .collect();
        Self { width, height, cells }
    }

    /// The cell at column `x` and row `y`.
    pub fn at(&self, x: usize, y: usize) -> &T {
        &self.cells[y * self.width + x]
    }

    /// The cell at a position outside as well: the nearest one inside.
    pub fn clamped(&self, x: isize, y: isize) -> &T {
        self.at(
            x.clamp(0, self.width as isize - 1) as usize,
            y.clamp(0, self.height as isize - 1) as usize,
        )
    }

    /// The cell one [`NEIGHBORS`] step from `index`, `None` beyond the border.
    pub fn neighbor(&self, index: usize, step: [isize; 2]) -> Option<usize> {
        let x = (index % self.width) as isize + step[0];
        let y = (index / self.width) as isize + step[1];
        (x >= 0 && y >= 0 && x < self.width as isize && y < self.height as isize)
            .then(|| y as usize * self.width + x as usize)
    }

    /// The same picture at another size, each cell taken from the nearest one.
    pub fn resized_nearest(&self, width: usize, height: usize) -> Self {
        Self::from_fn(width, height, |x, y| {
            let source_x = (2 * x + 1) * self.width / (2 * width);
            let source_y = (2 * y + 1) * self.height / (2 * height);
            self.at(source_x, source_y).clone()
        })
    }
}

/// Distance of each cell to the nearest cell of the other label, in cells (chamfer weights 1 and sqrt 2), at most
/// `limit`. A cell that touches the other label has distance 1.
pub(crate) fn distance_to_boundary(labels: &Grid<bool>, limit: f32) -> Grid<f32> {
    let mut distance = Grid::filled(labels.width, labels.height, limit);
    let mut relax = |index: usize, steps: &[[isize; 2]]| {
        let mut best = distance.cells[index];
        for &step in steps {
            let length = if step[0] != 0 && step[1] != 0 {
                std::f32::consts::SQRT_2
            } else {
                1.0
            };
            if let Some(other) = labels.neighbor(index, step) {
                let start = if labels.cells[other] == labels.cells[index] {
                    distance.cells[other]
                } else {
                    0.0
                };
                best = best.min(start + length);
            }
        }
        distance.cells[index] = best;
    };
    let count = labels.cells.len();
    for index in 0..count {
        relax(index, &[[-1, 0], [0, -1], [-1, -1], [1, -1], [1, 0], [0, 1]]);
    }
    for index in (0..count).rev() {
        relax(index, &[[1, 0], [0, 1], [1, 1], [-1, 1]]);
    }
    distance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_grows_away_from_the_boundary() {
        let labels = Grid::from_fn(20, 9, |x, _| x >= 10);
        let distance = distance_to_boundary(&labels, 6.0);
        for y in 0..9 {
            assert_eq!(*distance.at(9, y), 1.0);
            assert_eq!(*distance.at(10, y), 1.0);
            assert_eq!(*distance.at(13, y), 4.0);
            assert_eq!(*distance.at(0, y), 6.0);
        }
    }

    #[test]
    fn resizing_by_two_and_back_keeps_the_picture() {
        let small = Grid::from_fn(7, 5, |x, y| x * 10 + y);
        let back = small.resized_nearest(14, 10).resized_nearest(7, 5);
        assert_eq!(back.cells, small.cells);
    }
}
