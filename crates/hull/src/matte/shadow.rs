use std::collections::VecDeque;

use glam::Vec3;

use super::backdrop::Backdrop;
use super::grid::{Grid, distance_to_boundary};

/// How dark a cast shadow and how bright a pool of light may be: cube roots of the light's ratio to the usual.
const SHADES: std::ops::Range<f32> = 0.5..1.6;
/// The flood passes through gaps at least twice as wide as this, in cells: where an object is by chance as bright as
/// the shadow beside it, its outline has a gap, but a short one.
const GAP: f32 = 4.5;

/// How far a colour lies off the line of the backdrop's colours in more and less light, in standard deviations, and
/// where along it: the cube root of the light's ratio to the usual.
fn shade_of(backdrop: &Backdrop, color: Vec3, lit: Vec3) -> (f32, f32) {
    let shade = color.dot(lit) / lit.length_squared().max(1.0);
    // A shadow takes on the colour of the surroundings a little, so the line is wider than the backdrop's noise.
    let off = ((color - lit * shade) / (backdrop.sigma + 1.0)).length();
    (off, shade)
}

/// Whether a cell may be backdrop in a soft shadow or a pool of light: its colour lies on the line from black through
/// the backdrop's colour, and it is reached from plain backdrop on the picture's border without crossing an edge.
pub(crate) fn soft_shadow(picture: &Grid<Vec3>, backdrop: &Backdrop) -> Grid<bool> {
    let steepest = 1.2 + 0.4 * backdrop.sigma.x;
    let is_calm = Grid::from_fn(picture.width, picture.height, |x, y| {
        let color = *picture.at(x, y);
        let (off, shade) = shade_of(backdrop, color, backdrop.at_cell(picture, x, y));
        let is_flat = [[1, 0], [0, 1], [-1, 0], [0, -1]]
            .iter()
            .all(|&[dx, dy]: &[isize; 2]| picture.clamped(x as isize + dx, y as isize + dy).distance(color) < steepest);
        is_flat && off < 3.0 && SHADES.contains(&shade)
    });
    let depth = distance_to_boundary(&is_calm, GAP + 1.0);
    let is_open = |cell: usize| is_calm.cells[cell] && depth.cells[cell] >= GAP;
    let is_seed = |cell: usize| {
        let lit = backdrop.at_cell(picture, cell % picture.width, cell / picture.width);
        is_open(cell) && backdrop.squared_distance(picture.cells[cell], lit) < 16.0
    };
    let reached = flooded(picture, is_open, is_seed);
    // The flood kept its distance from edges; now it may go up to them.
    let mut outside = reached.clone();
    outside.cells.iter_mut().for_each(|reached| *reached = !*reached);
    let from_reached = distance_to_boundary(&outside, GAP + 1.0);
    Grid::from_fn(picture.width, picture.height, |x, y| {
        *reached.at(x, y) || *is_calm.at(x, y) && *from_reached.at(x, y) < GAP
    })
}

/// The open cells that hang together with seeds on the border.
fn flooded(picture: &Grid<Vec3>, is_open: impl Fn(usize) -> bool, is_seed: impl Fn(usize) -> bool) -> Grid<bool> {
    let mut reached = Grid::filled(picture.width, picture.height, false);
    let mut queue = VecDeque::new();
    for cell in 0..picture.cells.len() {
        let (x, y) = (cell % picture.width, cell / picture.width);
        let is_border = x == 0 || y == 0 || x + 1 == picture.width || y + 1 == picture.height;
        if is_border && is_seed(cell) {
            reached.cells[cell] = true;
            queue.push_back(cell);
        }
    }
    while let Some(cell) = queue.pop_front() {
        for step in [[1, 0], [0, 1], [-1, 0], [0, -1]] {
            if let Some(next) = picture.neighbor(cell, step)
                && is_open(next)
                && !reached.cells[next]
            {
                reached.cells[next] = true;
                queue.push_back(next);
            }
        }
    }
    reached
}

/// Natural logarithm of the density of the backdrop's colours in any light at a colour.
pub(crate) fn shadow_log_density(backdrop: &Backdrop, color: Vec3, lit: Vec3) -> f32 {
    let (off, _) = shade_of(backdrop, color, lit);
    let length = (lit.length() * (SHADES.end - SHADES.start)).max(1.0);
    let width = backdrop.sigma.y.max(backdrop.sigma.z) + 1.0;
    -0.5 * off * off - length.ln() - 2.0 * width.ln() - std::f32::consts::TAU.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A light backdrop with a soft dark spot on the left and a hard-edged square of the same dark colour on the right.
    #[test]
    fn a_soft_spot_is_shadow_and_a_hard_square_is_not() {
        let lit = Vec3::new(90.0, 4.0, 10.0);
        let picture = Grid::from_fn(120, 60, |x, y| {
            let distance = (x as f32 - 30.0).hypot(y as f32 - 30.0);
            let soft = 1.0 - 0.2 * (1.0 - distance / 28.0).clamp(0.0, 1.0);
            let is_square = x.abs_diff(90) < 12 && y.abs_diff(30) < 12;
            lit * if is_square { 0.82 } else { soft }
        });
        let rim: Vec<usize> = (0..120 * 60)
            .filter(|cell| cell % 120 == 0 || cell / 120 % 59 == 0)
            .collect();
        let backdrop = Backdrop::surface(&picture, &rim).expect("enough cells");
        let shadow = soft_shadow(&picture, &backdrop);
        assert!(*shadow.at(30, 30) && *shadow.at(60, 30));
        assert!(!*shadow.at(90, 30));
    }
}
