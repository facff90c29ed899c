use glam::Vec3;

use super::backdrop::Backdrop;
use super::color_model::ColorModel;
use super::grid::Grid;
use super::lab::GAMUT_LOG_VOLUME;
use super::shadow::{shadow_log_density, soft_shadow};

const NUM_BACKDROP_CLUSTERS: usize = 5;
const NUM_OBJECT_CLUSTERS: usize = 8;
/// Most colours a model is fitted to; they are taken at even steps.
const MAX_SAMPLES: usize = 6000;
/// Squared distance that 99 in 100 normally distributed colours stay within.
const INLIER: f32 = 11.3;

/// What object and backdrop look like, as far as is known.
pub(crate) struct Evidence {
    backdrop: Backdrop,
    /// Share of the backdrop that is smooth; the rest is `clutter`.
    smooth_share: f32,
    clutter: Option<ColorModel>,
    shadow: Grid<bool>,
    object: Option<ColorModel>,
}

impl Evidence {
    /// Learns the backdrop from the border of the picture. `None` for a picture too small to tell.
    pub fn from_border(picture: &Grid<Vec3>) -> Option<Self> {
        let border = border_cells(picture);
        let backdrop = spread_inwards(picture, Backdrop::surface(picture, &border)?);
        // An object may touch the border or run out of the picture, but seldom through a corner.
        let corners: Vec<usize> = border
            .iter()
            .copied()
            .filter(|&cell| is_near_corner(picture, cell))
            .collect();
        let share = inlier_share(picture, &backdrop, &corners);
        let clutter = ColorModel::fit(&weighted(picture, &corners, |_| 1.0), NUM_BACKDROP_CLUSTERS)?;
        let smooth_share = smooth_share(picture, &backdrop, &clutter, &corners);
        // Few strays off a tight surface are the object in a corner; many are a backdrop of several colours.
        let is_plain = share > 0.74 && backdrop.sigma.x < 4.0;
        Some(Self {
            shadow: soft_shadow(picture, &backdrop),
            smooth_share: if is_plain { 0.99 } else { smooth_share },
            clutter: (!is_plain).then_some(clutter),
            backdrop,
            object: None,
        })
    }

    /// Learns both sides from a labelling (`true` for the object). `None` where one side has too little to learn from.
    pub fn from_labels(picture: &Grid<Vec3>, is_object: &Grid<bool>) -> Option<Self> {
        let (object, outside): (Vec<usize>, Vec<usize>) =
            (0..picture.cells.len()).partition(|&cell| is_object.cells[cell]);
        if object.len() < 16 || outside.len() < 64 {
            return None;
        }
        let is_backdrop = Grid {
            cells: is_object.cells.iter().map(|&is_object| !is_object).collect(),
            ..*is_object
        };
        let outside = every_nth(outside);
        let backdrop = Backdrop::local_mean(picture, &is_backdrop, &outside);
        let strays = weighted(picture, &outside, |cell| {
            f32::from(distance_at(picture, &backdrop, cell) > INLIER)
        });
        let share = inlier_share(picture, &backdrop, &outside);
        let clutter = (share < 0.98)
            .then(|| ColorModel::fit(&strays, NUM_BACKDROP_CLUSTERS))
            .flatten();
        // What looks like backdrop inside the labelling may be backdrop that was not found yet.
        let object = weighted(picture, &every_nth(object), |cell| {
            if distance_at(picture, &backdrop, cell) < 2.0 * INLIER {
                0.1
            } else {
                1.0
            }
        });
        Some(Self {
            shadow: soft_shadow(picture, &backdrop),
            smooth_share: share.clamp(0.02, 0.99),
            clutter,
            backdrop,
            object: ColorModel::fit(&object, NUM_OBJECT_CLUSTERS),
        })
    }

    /// Learns anew how noisy the backdrop is, from some of its cells in a finer picture.
    pub fn measure_noise(&mut self, picture: &Grid<Vec3>, cells: Vec<usize>) {
        if cells.len() >= 64 {
            self.backdrop.measure_sigma(picture, &every_nth(cells));
        }
    }

    /// How much likelier each chosen cell of a picture of any size is object than backdrop: the natural logarithm of
    /// the ratio, about -10 to 10. Cells that are not chosen get 0.
    pub fn log_odds(&self, picture: &Grid<Vec3>, is_chosen: impl Fn(usize) -> bool + Sync) -> Grid<f32> {
        Grid::from_fn(picture.width, picture.height, |x, y| {
            if !is_chosen(y * picture.width + x) {
                return 0.0;
            }
            let color = *picture.at(x, y);
            let shadow_x = x * self.shadow.width / picture.width;
            let shadow_y = y * self.shadow.height / picture.height;
            let lit = self.backdrop.at_cell(picture, x, y);
            self.object_log_density(color) - self.backdrop_log_density(color, lit, *self.shadow.at(shadow_x, shadow_y))
        })
    }

    fn object_log_density(&self, color: Vec3) -> f32 {
        let any = -GAMUT_LOG_VOLUME;
        self.object
            .as_ref()
            .map_or(any, |object| log_sum(object.log_density(color) - 0.1, any - 2.3))
    }

    fn backdrop_log_density(&self, color: Vec3, lit: Vec3, may_be_shadow: bool) -> f32 {
        let sigma = self.backdrop.sigma;
        let normalization = (sigma.x * sigma.y * sigma.z).ln() + 1.5 * std::f32::consts::TAU.ln();
        let smooth = -0.5 * self.backdrop.squared_distance(color, lit) - normalization;
        let mut sum = smooth + self.smooth_share.ln();
        if let Some(clutter) = &self.clutter {
            sum = log_sum(
                sum,
                clutter.log_density(color) + (1.0 - self.smooth_share).max(1e-3).ln(),
            );
        }
        if may_be_shadow {
            sum = log_sum(sum, shadow_log_density(&self.backdrop, color, lit) - 1.5);
        }
        // Nothing is impossible: one odd pixel must not outweigh its whole neighbourhood.
        log_sum(sum, -GAMUT_LOG_VOLUME - 7.0)
    }
}

/// The cells within about a thirtieth of the picture's shorter side from its border.
pub(crate) fn border_cells(picture: &Grid<Vec3>) -> Vec<usize> {
    let width = (picture.width.min(picture.height) / 30).max(2);
    (0..picture.cells.len())
        .filter(|cell| {
            let (x, y) = (cell % picture.width, cell / picture.width);
            x.min(y) < width || x + width >= picture.width || y + width >= picture.height
        })
        .collect()
}

/// The backdrop fitted again to all that is reached from the border without crossing an edge, which is most of what
/// it is when it is plain.
fn spread_inwards(picture: &Grid<Vec3>, backdrop: Backdrop) -> Backdrop {
    let reached = soft_shadow(picture, &backdrop);
    let cells: Vec<usize> = (0..picture.cells.len()).filter(|&cell| reached.cells[cell]).collect();
    if cells.len() * 8 < picture.cells.len() {
        return backdrop;
    }
    Backdrop::surface(picture, &every_nth(cells)).unwrap_or(backdrop)
}

/// Within a quarter of both sides from a corner.
fn is_near_corner(picture: &Grid<Vec3>, cell: usize) -> bool {
    let is_near_end = |index: usize, count: usize| index.min(count - 1 - index) * 4 < count;
    is_near_end(cell % picture.width, picture.width) && is_near_end(cell / picture.width, picture.height)
}

fn distance_at(picture: &Grid<Vec3>, backdrop: &Backdrop, cell: usize) -> f32 {
    let lit = backdrop.at_cell(picture, cell % picture.width, cell / picture.width);
    backdrop.squared_distance(picture.cells[cell], lit)
}

fn inlier_share(picture: &Grid<Vec3>, backdrop: &Backdrop, cells: &[usize]) -> f32 {
    let inliers = cells
        .iter()
        .filter(|&&cell| distance_at(picture, backdrop, cell) < INLIER);
    inliers.count() as f32 / cells.len().max(1) as f32
}

/// How much of the cells the smooth backdrop explains better than the heaps of colour do (expectation maximisation
/// over that one share).
fn smooth_share(picture: &Grid<Vec3>, backdrop: &Backdrop, clutter: &ColorModel, cells: &[usize]) -> f32 {
    let sigma = backdrop.sigma;
    let normalization = (sigma.x * sigma.y * sigma.z).ln() + 1.5 * std::f32::consts::TAU.ln();
    let gains: Vec<f32> = cells
        .iter()
        .map(|&cell| {
            let smooth = -0.5 * distance_at(picture, backdrop, cell) - normalization;
            (smooth - clutter.log_density(picture.cells[cell]))
                .clamp(-30.0, 30.0)
                .exp()
        })
        .collect();
    let mut share = 0.5_f32;
    for _ in 0..20 {
        let sum: f32 = gains
            .iter()
            .map(|gain| share * gain / (share * gain + 1.0 - share))
            .sum();
        share = (sum / gains.len().max(1) as f32).clamp(0.01, 0.99);
    }
    share
}

fn weighted(picture: &Grid<Vec3>, cells: &[usize], weight: impl Fn(usize) -> f32) -> Vec<(Vec3, f32)> {
    cells
        .iter()
        .map(|&cell| (picture.cells[cell], weight(cell)))
        .filter(|sample| sample.1 > 0.0)
        .collect()
}

fn every_nth(cells: Vec<usize>) -> Vec<usize> {
    let step = cells.len().div_ceil(MAX_SAMPLES).max(1);
    cells.into_iter().step_by(step).collect()
}

/// `ln(exp(a) + exp(b))`.
fn log_sum(a: f32, b: f32) -> f32 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    high + (low - high).exp().ln_1p()
}
