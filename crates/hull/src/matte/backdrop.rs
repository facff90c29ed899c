use glam::Vec3;

use super::grid::Grid;
use super::lab::halved;

/// The backdrop as a colour that changes smoothly over the picture, and how far its pixels stray from that.
#[derive(Clone, Debug)]
pub(crate) struct Backdrop {
    /// Coarse samples of the colour; read with [`Backdrop::at`].
    mean: Grid<Vec3>,
    /// Standard deviation of the backdrop's pixels about the smooth colour, for each axis of the colour space.
    pub sigma: Vec3,
}

/// Halvings between the picture and the samples: the field follows a shadow but not a pixel's noise.
const NUM_HALVINGS: usize = 2;

impl Backdrop {
    /// A quadratic surface through the given cells, fitted so that cells far off it do not count (Geman's
    /// weights). It starts as a constant and gains freedom bit by bit: a free surface would bend towards the cells that
    /// show something else before they are known. `None` for too few cells.
    pub fn surface(picture: &Grid<Vec3>, cells: &[usize]) -> Option<Self> {
        if cells.len() < 24 {
            return None;
        }
        let basis: Vec<[f64; 6]> = cells.iter().map(|&cell| basis_at(picture, cell)).collect();
        let mut weights = vec![1.0; cells.len()];
        let mut coefficients = [Vec3::ZERO; 6];
        for num_terms in [1, 1, 1, 1, 3, 3, 3, 3, 6, 6, 6, 6, 6, 6] {
            coefficients = solve_surface(picture, cells, &basis, &weights, num_terms)?;
            let errors: Vec<f32> = cells
                .iter()
                .zip(&basis)
                .map(|(&cell, row)| (picture.cells[cell] - surface_at(&coefficients, row)).length())
                .collect();
            let scale = (2.0 * median(errors.clone())).max(1.0);
            for (weight, error) in weights.iter_mut().zip(errors) {
                *weight = (1.0 + f64::from(error / scale).powi(2)).powi(-2);
            }
        }
        let factor = 1 << NUM_HALVINGS;
        let mean = Grid::from_fn(
            picture.width.div_ceil(factor),
            picture.height.div_ceil(factor),
            |x, y| {
                let position = |cell: usize, count: usize| ((cell * factor) as f64 + 1.5) / count as f64 * 2.0 - 1.0;
                let row = basis_of(position(x, picture.width), position(y, picture.height));
                surface_at(&coefficients, &row)
            },
        );
        Some(Self::with_sigma(mean, picture, cells))
    }

    /// The local mean of the given cells, carried smoothly across the gaps between them (pull-push: Gortler et al.,
    /// "The lumigraph", 1996).
    pub fn local_mean(picture: &Grid<Vec3>, is_backdrop: &Grid<bool>, cells: &[usize]) -> Self {
        let masked = Grid::from_fn(picture.width, picture.height, |x, y| {
            if *is_backdrop.at(x, y) {
                (*picture.at(x, y), 1.0)
            } else {
                (Vec3::ZERO, 0.0)
            }
        });
        let mut level = split(&masked);
        for _ in 0..NUM_HALVINGS {
            level = (halved(&level.0), halved(&level.1));
        }
        Self::with_sigma(pull_push(&level.0, &level.1), picture, cells)
    }

    fn with_sigma(mean: Grid<Vec3>, picture: &Grid<Vec3>, cells: &[usize]) -> Self {
        let mut backdrop = Self { mean, sigma: Vec3::ONE };
        backdrop.measure_sigma(picture, cells);
        backdrop
    }

    /// Learns `sigma` from the given cells of a picture of any size.
    pub fn measure_sigma(&mut self, picture: &Grid<Vec3>, cells: &[usize]) {
        let errors: Vec<Vec3> = cells
            .iter()
            .map(|&cell| {
                let (x, y) = (cell % picture.width, cell / picture.width);
                (picture.cells[cell] - self.at_cell(picture, x, y)).abs()
            })
            .collect();
        let spread = |axis: usize| {
            // 1.48 times the median is the standard deviation of a normal distribution.
            let errors: Vec<f32> = errors.iter().map(|error| error[axis]).collect();
            (1.48 * median(errors)).clamp(0.7, 20.0)
        };
        self.sigma = Vec3::new(spread(0), spread(1), spread(2));
    }

    /// The colour at a position in `[0, 1]^2`.
    pub fn at(&self, u: f32, v: f32) -> Vec3 {
        let x = (u * self.mean.width as f32 - 0.5).max(0.0);
        let y = (v * self.mean.height as f32 - 0.5).max(0.0);
        let (column, row) = (x as isize, y as isize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let top = self
            .mean
            .clamped(column, row)
            .lerp(*self.mean.clamped(column + 1, row), fx);
        let bottom = self
            .mean
            .clamped(column, row + 1)
            .lerp(*self.mean.clamped(column + 1, row + 1), fx);
        top.lerp(bottom, fy)
    }

    /// The colour at a pixel of a picture of any size.
    pub fn at_cell<T: Clone + Send + Sync>(&self, picture: &Grid<T>, x: usize, y: usize) -> Vec3 {
        self.at(
            (x as f32 + 0.5) / picture.width as f32,
            (y as f32 + 0.5) / picture.height as f32,
        )
    }

    /// Squared distance of a colour from the backdrop's, in standard deviations.
    pub fn squared_distance(&self, color: Vec3, expected: Vec3) -> f32 {
        ((color - expected) / self.sigma).length_squared()
    }
}

fn split(masked: &Grid<(Vec3, f32)>) -> (Grid<Vec3>, Grid<Vec3>) {
    let part = |pick: fn(&(Vec3, f32)) -> Vec3| Grid {
        width: masked.width,
        height: masked.height,
        cells: masked.cells.iter().map(pick).collect(),
    };
    (part(|cell| cell.0), part(|cell| Vec3::splat(cell.1)))
}

/// Weighted colours (already multiplied by their weights) averaged down to one cell and back up: each cell's colour,
/// where its weight is short of 1 made up from the next coarser level.
fn pull_push(color: &Grid<Vec3>, weight: &Grid<Vec3>) -> Grid<Vec3> {
    let coarser = (color.width > 1 || color.height > 1).then(|| pull_push(&halved(color), &halved(weight)));
    Grid::from_fn(color.width, color.height, |x, y| {
        let (sum, weight) = (*color.at(x, y), weight.at(x, y).x);
        let own = if weight > 0.0 { sum / weight } else { sum };
        let Some(coarser) = &coarser else {
            return own;
        };
        // A quarter of a coarse cell towards the next one: bilinear weights 3/4 and 1/4.
        let (cx, cy) = ((x / 2) as isize, (y / 2) as isize);
        let (nx, ny) = (cx + (x % 2) as isize * 2 - 1, cy + (y % 2) as isize * 2 - 1);
        let blurred = *coarser.clamped(cx, cy) * 0.5625
            + (*coarser.clamped(nx, cy) + *coarser.clamped(cx, ny)) * 0.1875
            + *coarser.clamped(nx, ny) * 0.0625;
        // A cell that is a quarter covered is as good as a full one.
        blurred.lerp(own, (weight * 4.0).min(1.0))
    })
}

fn basis_of(x: f64, y: f64) -> [f64; 6] {
    [1.0, x, y, x * x, x * y, y * y]
}

fn basis_at(picture: &Grid<Vec3>, cell: usize) -> [f64; 6] {
    let position = |index: usize, count: usize| (index as f64 + 0.5) / count as f64 * 2.0 - 1.0;
    basis_of(
        position(cell % picture.width, picture.width),
        position(cell / picture.width, picture.height),
    )
}

fn surface_at(coefficients: &[Vec3; 6], row: &[f64; 6]) -> Vec3 {
    coefficients
        .iter()
        .zip(row)
        .map(|(&coefficient, &value)| coefficient * value as f32)
        .sum()
}

/// Weighted least squares by the normal equations and Gaussian elimination; a touch of ridge keeps it solvable.
/// Terms beyond the first `num_terms` are 0.
fn solve_surface(
    picture: &Grid<Vec3>,
    cells: &[usize],
    basis: &[[f64; 6]],
    weights: &[f64],
    num_terms: usize,
) -> Option<[Vec3; 6]> {
    let mut system = [[0.0_f64; 9]; 6];
    for ((&cell, row), &weight) in cells.iter().zip(basis).zip(weights) {
        let color = picture.cells[cell].as_dvec3().to_array();
        for i in 0..6 {
            for j in 0..6 {
                system[i][j] += weight * row[i] * row[j];
            }
            for axis in 0..3 {
                system[i][6 + axis] += weight * row[i] * color[axis];
            }
        }
    }
    for (i, row) in system.iter_mut().enumerate() {
        row[i] += if i < num_terms { 1e-6 } else { 1e9 } * cells.len() as f64;
    }
    for pivot in 0..6 {
        let largest = (pivot..6).max_by(|&a, &b| system[a][pivot].abs().total_cmp(&system[b][pivot].abs()))?;
        system.swap(pivot, largest);
        if system[pivot][pivot].abs() < 1e-12 {
            return None;
        }
        let pivot_row = system[pivot];
        for (i, row) in system.iter_mut().enumerate() {
            if i != pivot {
                let factor = row[pivot] / pivot_row[pivot];
                for (value, above) in row.iter_mut().zip(pivot_row) {
                    *value -= factor * above;
                }
            }
        }
    }
    Some(std::array::from_fn(|i| {
        let value = |axis: usize| (system[i][6 + axis] / system[i][i]) as f32;
        Vec3::new(value(0), value(1), value(2))
    }))
}

fn median(mut values: Vec<f32>) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope(x: usize, y: usize) -> Vec3 {
        Vec3::new(40.0 + x as f32 * 0.4, y as f32 * 0.1, (x * y) as f32 * 0.001)
    }

    #[test]
    fn a_gradient_is_recovered_although_a_third_of_the_cells_show_something_else() {
        let picture = Grid::from_fn(
            64,
            48,
            |x, y| if x < 20 { Vec3::new(5.0, 60.0, 9.0) } else { slope(x, y) },
        );
        let cells: Vec<usize> = (0..64 * 48).collect();
        let backdrop = Backdrop::surface(&picture, &cells).expect("enough cells");
        for (x, y) in [(30, 5), (50, 40), (63, 0)] {
            let error = backdrop.at_cell(&picture, x, y).distance(slope(x, y));
            assert!(error < 1.0, "{error} at {x}, {y}");
        }
    }

    #[test]
    fn the_local_mean_bridges_a_gap() {
        let picture = Grid::from_fn(64, 64, slope);
        let known = Grid::from_fn(64, 64, |x, y| x.abs_diff(32) > 12 || y.abs_diff(32) > 12);
        let cells: Vec<usize> = (0..64 * 64).filter(|&cell| known.cells[cell]).collect();
        let backdrop = Backdrop::local_mean(&picture, &known, &cells);
        for (x, y) in [(8, 8), (32, 32), (60, 20)] {
            let error = backdrop.at_cell(&picture, x, y).distance(slope(x, y));
            assert!(error < 3.0, "{error} at {x}, {y}");
        }
    }
}
