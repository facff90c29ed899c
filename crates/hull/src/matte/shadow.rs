use std::collections::VecDeque;

use glam::Vec3;

use super::backdrop::Backdrop;
use super::grid::Grid;

/// How dark a cast shadow may be: the cube root of the least share of the light that is left.
const DARKEST: f32 = 0.5;

/// How a colour relates to a backdrop of colour `lit`: the cube root of the share of the light that is left (1 when
/// lit), and how far the colour lies off the line of shaded backdrop colours, in standard deviations.
pub(crate) fn shade_of(backdrop: &Backdrop, color: Vec3, lit: Vec3) -> (f32, f32) {
    let shade = color.dot(lit) / lit.length_squared().max(1.0);
    // A shadow takes on the colour of the surroundings a little, so the line is twice as wide as the backdrop's noise.
    let off = ((color - lit * shade) / (2.0 * backdrop.sigma)).length();
    (shade, off)
}

/// Whether a cell may be backdrop in soft shadow: its colour lies on the line from the backdrop's colour to black, and
/// it is reached from the border of the picture without crossing an edge.
pub(crate) fn soft_shadow(picture: &Grid<Vec3>, backdrop: &Backdrop) -> Grid<bool> {
    let smooth = smoothed(picture, backdrop.sigma.x);
    let is_candidate = Grid::from_fn(picture.width, picture.height, |x, y| {
        let (shade, off) = shade_of(backdrop, *smooth.at(x, y), backdrop.at_cell(picture, x, y));
        off < 3.0 && (DARKEST..1.05).contains(&shade)
    });
    let steepest = 1.2 + 0.6 * backdrop.sigma.x;
    let mut reached = Grid::filled(picture.width, picture.height, false);
    let mut queue = VecDeque::new();
    for index in 0..picture.cells.len() {
        let (x, y) = (index % picture.width, index / picture.width);
        let is_border = x == 0 || y == 0 || x + 1 == picture.width || y + 1 == picture.height;
        if is_border && is_candidate.cells[index] {
            reached.cells[index] = true;
            queue.push_back(index);
        }
    }
    while let Some(index) = queue.pop_front() {
        for step in [[1, 0], [0, 1], [-1, 0], [0, -1]] {
            let Some(next) = picture.neighbor(index, step) else {
                continue;
            };
            let is_smooth = smooth.cells[index].distance(smooth.cells[next]) < steepest;
            if is_smooth && is_candidate.cells[next] && !reached.cells[next] {
                reached.cells[next] = true;
                queue.push_back(next);
            }
        }
    }
    reached
}

/// Natural logarithm of the density of shadow colours at a colour that is `off` standard deviations off the line.
pub(crate) fn shadow_log_density(backdrop: &Backdrop, lit: Vec3, off: f32) -> f32 {
    let length = (lit.length() * (1.0 - DARKEST)).max(1.0);
    let width = 2.0 * backdrop.sigma.y.max(backdrop.sigma.z);
    -0.5 * off * off - length.ln() - 2.0 * width.ln() - std::f32::consts::TAU.ln()
}

/// The picture blurred enough that the backdrop's noise makes no edges.
fn smoothed(picture: &Grid<Vec3>, noise: f32) -> Grid<Vec3> {
    let num_passes = match noise {
        noise if noise < 1.5 => 0,
        noise if noise < 4.0 => 1,
        _ => 3,
    };
    let mut current = picture.clone();
    for _ in 0..num_passes {
        current = Grid::from_fn(picture.width, picture.height, |x, y| {
            let (x, y) = (x as isize, y as isize);
            let mut sum = Vec3::ZERO;
            for dy in -1..=1_isize {
                for dx in -1..=1_isize {
                    let weight = ((2 - dx.abs()) * (2 - dy.abs())) as f32;
                    sum += *current.clamped(x + dx, y + dy) * weight;
                }
            }
            sum / 16.0
        });
    }
    current
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
        let border: Vec<usize> = (0..120).collect();
        let backdrop = Backdrop::surface(&picture, &border).expect("enough cells");
        let shadow = soft_shadow(&picture, &backdrop);
        assert!(*shadow.at(30, 30) && *shadow.at(60, 30));
        assert!(!*shadow.at(90, 30));
    }
}
