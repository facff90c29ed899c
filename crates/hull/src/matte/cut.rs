use glam::Vec3;

use super::grid::{Grid, NEIGHBORS};
use super::max_flow::FlowGraph;

/// What parting two equal neighbours costs, in units of log odds.
const SMOOTHNESS: f32 = 3.5;
/// Capacities are whole numbers in this many parts of a unit.
const UNIT: f32 = 256.0;

/// The labelling (`true` for the object) with the best sum of evidence and edges, where boundaries are cheap along
/// steps of colour (Boykov and Jolly, "Interactive graph cuts", 2001). Cells outside `is_open` keep their label.
pub(crate) fn cut(
    picture: &Grid<Vec3>,
    log_odds: &Grid<f32>,
    labels: &Grid<bool>,
    is_open: impl Fn(usize) -> bool,
) -> Grid<bool> {
    let open: Vec<usize> = (0..picture.cells.len()).filter(|&cell| is_open(cell)).collect();
    let mut node_of = vec![u32::MAX; picture.cells.len()];
    for (node, &cell) in open.iter().enumerate() {
        node_of[cell] = node as u32;
    }
    let contrast = 0.5 / mean_squared_step(picture).max(4.0);
    let cost = |a: usize, b: usize, step: [isize; 2]| {
        let length = if step[0] != 0 && step[1] != 0 {
            std::f32::consts::SQRT_2
        } else {
            1.0
        };
        let gap = picture.cells[a].distance_squared(picture.cells[b]);
        (SMOOTHNESS / length * (0.04 + 0.96 * (-contrast * gap).exp()) * UNIT) as i32
    };
    let mut terminals: Vec<i32> = open.iter().map(|&cell| (log_odds.cells[cell] * UNIT) as i32).collect();
    let mut edges = Vec::with_capacity(open.len() * 4);
    for (node, &cell) in open.iter().enumerate() {
        for (index, &step) in NEIGHBORS.iter().enumerate() {
            let Some(other) = picture.neighbor(cell, step) else {
                continue;
            };
            if node_of[other] == u32::MAX {
                let pull = cost(cell, other, step);
                terminals[node] += if labels.cells[other] { pull } else { -pull };
            } else if index < 4 {
                edges.push((node as u32, node_of[other], cost(cell, other, step)));
            }
        }
    }
    let mut graph = FlowGraph::new(&terminals);
    for (a, b, capacity) in edges {
        graph.connect(a, b, capacity);
    }
    let mut result = labels.clone();
    for (&cell, is_object) in open.iter().zip(graph.cut()) {
        result.cells[cell] = is_object;
    }
    result
}

fn mean_squared_step(picture: &Grid<Vec3>) -> f32 {
    let mut sum = 0.0_f64;
    let mut count = 0_u64;
    for y in 0..picture.height {
        for x in 1..picture.width {
            sum += f64::from(picture.at(x, y).distance_squared(*picture.at(x - 1, y)));
            count += 1;
        }
    }
    (sum / count.max(1) as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_follows_the_edge_through_noisy_evidence() {
        let is_square = |x: usize, y: usize| (10..30).contains(&x) && (8..24).contains(&y);
        let picture = Grid::from_fn(40, 32, |x, y| Vec3::splat(if is_square(x, y) { 60.0 } else { 30.0 }));
        let log_odds = Grid::from_fn(40, 32, |x, y| {
            let lies = (x * 7 + y * 13) % 9 == 0;
            if is_square(x, y) == lies { -2.0 } else { 2.0 }
        });
        let labels = cut(&picture, &log_odds, &Grid::filled(40, 32, false), |_| true);
        for y in 0..32 {
            for x in 0..40 {
                assert_eq!(*labels.at(x, y), is_square(x, y), "at {x}, {y}");
            }
        }
    }
}
