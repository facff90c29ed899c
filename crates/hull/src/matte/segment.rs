use bozzetto_engine::{CancelToken, EngineError};
use glam::Vec3;

use super::clean::clean;
use super::cut::cut;
use super::evidence::{Evidence, border_cells};
use super::grid::{Grid, distance_to_boundary};
use super::lab::halved;

/// The models are learnt at this size or less; finer levels only move the boundary.
const BASE_PX: usize = 300;
const MAX_ROUNDS: usize = 6;
/// Cells this near the boundary are decided again at the next finer level.
const BAND_PX: f32 = 4.0;
/// Log odds that reopen a cell far from the boundary: what is thin is lost at the coarse levels.
const REOPENING: f32 = 5.0;

/// Tells object from backdrop in a picture: `true` for the object, same size. `bias` is added to the log odds of each
/// cell, so more of it takes more for object. `None` when they cannot be told apart.
pub(crate) fn segment(
    picture: &Grid<Vec3>,
    bias: f32,
    cancel: &CancelToken,
) -> Result<Option<Grid<bool>>, EngineError> {
    let mut levels = vec![picture.clone()];
    while let Some(last) = levels.last().filter(|last| last.width.max(last.height) > BASE_PX) {
        cancel.check()?;
        let coarser = halved(last);
        levels.push(coarser);
    }
    let Some(base) = levels.pop() else {
        return Ok(None);
    };
    let base = denoised(base);
    let Some((mut evidence, mut labels)) = learn(&base, bias, cancel)? else {
        return Ok(None);
    };
    while let Some(level) = levels.pop() {
        cancel.check()?;
        let level = denoised(level);
        cancel.check()?;
        let is_finest = levels.is_empty();
        labels = refined(&level, &labels, &mut evidence, bias, is_finest, cancel)?;
    }
    Ok(Some(labels))
}

/// The picture blurred as much as its noise asks for: the models learn colours, and noise would widen them all.
fn denoised(picture: Grid<Vec3>) -> Grid<Vec3> {
    let mut steps: Vec<f32> = border_cells(&picture)
        .into_iter()
        .filter_map(|cell| {
            let next = picture.neighbor(cell, [1, 0])?;
            Some(picture.cells[cell].distance(picture.cells[next]))
        })
        .collect();
    if steps.is_empty() {
        return picture;
    }
    let middle = steps.len() / 2;
    let noise = *steps.select_nth_unstable_by(middle, f32::total_cmp).1;
    let num_passes = (noise / 1.5).min(4.0) as usize;
    (0..num_passes).fold(picture, |picture, _| blurred(&picture))
}

/// A pass of the binomial filter 1 2 1 in both directions.
fn blurred(picture: &Grid<Vec3>) -> Grid<Vec3> {
    Grid::from_fn(picture.width, picture.height, |x, y| {
        let (x, y) = (x as isize, y as isize);
        let row = |y: isize| *picture.clamped(x - 1, y) + *picture.clamped(x, y) * 2.0 + *picture.clamped(x + 1, y);
        (row(y - 1) + row(y) * 2.0 + row(y + 1)) / 16.0
    })
}

/// Models and labelling at the coarsest level, each learnt from the other in turn (Rother et al., 2004, `GrabCut`).
fn learn(base: &Grid<Vec3>, bias: f32, cancel: &CancelToken) -> Result<Option<(Evidence, Grid<bool>)>, EngineError> {
    let Some(mut evidence) = Evidence::from_border(base) else {
        return Ok(None);
    };
    let mut labels = Grid::filled(base.width, base.height, false);
    let border = border_cells(base);
    for _ in 0..MAX_ROUNDS {
        cancel.check()?;
        let mut log_odds = evidence.log_odds(base, |_| true);
        log_odds.cells.iter_mut().for_each(|odds| *odds += bias);
        for &cell in &border {
            log_odds.cells[cell] -= 2.0;
        }
        let mut next = cut(base, &log_odds, &labels, |_| true);
        clean_labels(&mut next, &log_odds);
        if !is_plausible(&next, &border) {
            return Ok(None);
        }
        let changed = next.cells.iter().zip(&labels.cells).filter(|(a, b)| a != b).count();
        labels = next;
        let Some(learnt) = Evidence::from_labels(base, &labels) else {
            return Ok(None);
        };
        evidence = learnt;
        if changed * 2000 < labels.cells.len() {
            break;
        }
    }
    Ok(Some((evidence, labels)))
}

/// The labelling at the next finer level.
fn refined(
    level: &Grid<Vec3>,
    coarse: &Grid<bool>,
    evidence: &mut Evidence,
    bias: f32,
    is_finest: bool,
    cancel: &CancelToken,
) -> Result<Grid<bool>, EngineError> {
    let labels = coarse.resized_nearest(level.width, level.height);
    let distance = distance_to_boundary(&labels, BAND_PX + 1.0);
    cancel.check()?;
    let is_clear = |cell: &usize| !labels.cells[*cell] && distance.cells[*cell] > BAND_PX;
    evidence.measure_noise(level, (0..labels.cells.len()).filter(is_clear).collect());
    cancel.check()?;
    let mut is_open: Vec<bool> = distance.cells.iter().map(|&distance| distance <= BAND_PX).collect();
    let mut log_odds = evidence.log_odds(level, |cell| !is_finest || is_open[cell] || !labels.cells[cell]);
    cancel.check()?;
    log_odds.cells.iter_mut().for_each(|odds| *odds += bias);
    if !is_finest {
        let strays: Vec<usize> = (0..is_open.len())
            .filter(|&cell| !is_open[cell])
            .filter(|&cell| log_odds.cells[cell] * if labels.cells[cell] { -1.0 } else { 1.0 } > REOPENING)
            .collect();
        // Where much of the picture disagrees it is noise, not something thin.
        if strays.len() * 20 < is_open.len() {
            for cell in strays {
                is_open[cell] = true;
            }
        }
    }
    let mut labels = cut(level, &log_odds, &labels, |cell| is_open[cell]);
    cancel.check()?;
    clean_labels(&mut labels, &log_odds);
    Ok(labels)
}

/// A hole is real when it is not small and most of it is surely backdrop; what is small is a highlight or an eye.
fn clean_labels(labels: &mut Grid<bool>, log_odds: &Grid<f32>) {
    clean(labels, 0.005, |hole, largest| {
        let num_backdrop = hole.iter().filter(|&&cell| log_odds.cells[cell] < -1.0).count();
        hole.len() as f32 > 0.0008 * largest as f32 && num_backdrop as f32 > 0.6 * hole.len() as f32
    });
}

/// Whether the object is neither next to nothing nor all of the picture or its border.
fn is_plausible(labels: &Grid<bool>, border: &[usize]) -> bool {
    let share = |count: usize, all: usize| count as f32 / all.max(1) as f32;
    let inside = labels.cells.iter().filter(|&&is_object| is_object).count();
    let on_border = border.iter().filter(|&&cell| labels.cells[cell]).count();
    (0.002..0.97).contains(&share(inside, labels.cells.len())) && share(on_border, border.len()) < 0.8
}
