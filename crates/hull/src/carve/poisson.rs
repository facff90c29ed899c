use bozzetto_engine::EngineError;

use crate::progress::Part;

/// Most sweeps on the finest grid; coarser ones start it close to the solution.
const SWEEPS: usize = 60;
/// Grids stop halving below this side.
const LEAST_SIDE: usize = 24;
/// Share of a cell that the outline is kept away from a node, so that no equation becomes stiff.
const LEAST_FRACTION: f32 = 0.08;

/// A grid of signed distances in cells, negative inside.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    pub width: usize,
    pub height: usize,
    pub distance: Vec<f32>,
}

impl Domain {
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let distance = (0..width * height)
            .map(|index| self.distance[(index / width * 2) * self.width + index % width * 2] * 0.5)
            .collect();
        Self {
            width,
            height,
            distance,
        }
    }
}

/// Solves `laplace(u) - u / screen^2 = -4` inside with `u = 0` on the outline, lengths in cells: on a disc without
/// screening `u = radius^2 - r^2`, so that `sqrt(u)` is a hemisphere. The outline lies between nodes at sub-cell
/// accuracy (Gibou et al. 2002). Outside, `u` goes on with the slope it has at the outline, negative.
pub(super) fn solve(domain: &Domain, screen: f32, part: &Part<'_, '_>) -> Result<Vec<f32>, EngineError> {
    let mut u = if domain.width.min(domain.height) > LEAST_SIDE {
        let coarse = domain.halved();
        let solution = solve(&coarse, screen * 0.5, part)?;
        prolonged(&solution, &coarse, domain)
    } else {
        vec![0.0; domain.distance.len()]
    };
    relax(domain, screen, &mut u, part)?;
    extrapolate(domain, &mut u);
    Ok(u)
}

/// The coarse solution on the finer grid; lengths double in cells, so `u` grows fourfold.
fn prolonged(solution: &[f32], coarse: &Domain, fine: &Domain) -> Vec<f32> {
    (0..fine.width * fine.height)
        .map(|index| {
            if fine.distance[index] >= 0.0 {
                return 0.0;
            }
            let (x, y) = ((index % fine.width) as f32 * 0.5, (index / fine.width) as f32 * 0.5);
            let (x0, y0) = (x as usize, y as usize);
            let (x1, y1) = ((x0 + 1).min(coarse.width - 1), (y0 + 1).min(coarse.height - 1));
            let (fx, fy) = (x.fract(), y.fract());
            let at = |x: usize, y: usize| solution[y * coarse.width + x];
            let low = at(x0, y0) + fx * (at(x1, y0) - at(x0, y0));
            let high = at(x0, y1) + fx * (at(x1, y1) - at(x0, y1));
            (4.0 * (low + fy * (high - low))).max(0.0)
        })
        .collect()
}

/// One inside node's equation: where its neighbours' values are, how much the outline's ones weigh.
struct Node {
    index: usize,
    /// Neighbours inside; `usize::MAX` for those across the outline.
    neighbors: [usize; 4],
    inverse_diagonal: f32,
}

/// Successive over-relaxation.
fn relax(domain: &Domain, screen: f32, u: &mut [f32], part: &Part<'_, '_>) -> Result<(), EngineError> {
    let nodes = equations(domain, screen);
    let side = (nodes.len() as f32).sqrt().max(4.0);
    let omega = 2.0 / (1.0 + (2.0 / side).sin() * 2.0);
    for _ in 0..SWEEPS {
        part.check()?;
        for node in &nodes {
            let sum: f32 = node
                .neighbors
                .iter()
                .filter(|&&next| next != usize::MAX)
                .map(|&next| u[next])
                .sum();
            let gauss_seidel = (sum + 4.0) * node.inverse_diagonal;
            u[node.index] += omega.min(1.9) * (gauss_seidel - u[node.index]);
        }
    }
    Ok(())
}

fn equations(domain: &Domain, screen: f32) -> Vec<Node> {
    let (width, height) = (domain.width, domain.height);
    let mut nodes = Vec::new();
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let index = y * width + x;
            let here = domain.distance[index];
            if here >= 0.0 {
                continue;
            }
            let mut diagonal = if screen.is_finite() {
                1.0 / (screen * screen)
            } else {
                0.0
            };
            let neighbors = [index - 1, index + 1, index - width, index + width].map(|next| {
                let there = domain.distance[next];
                if there < 0.0 {
                    diagonal += 1.0;
                    return next;
                }
                diagonal += 1.0 / (here / (here - there)).max(LEAST_FRACTION);
                usize::MAX
            });
            nodes.push(Node {
                index,
                neighbors,
                inverse_diagonal: 1.0 / diagonal,
            });
        }
    }
    nodes
}

/// Continues `u` outside as the distance times the nearest slope of `u` at the outline.
fn extrapolate(domain: &Domain, u: &mut [f32]) {
    let (width, height) = (domain.width, domain.height);
    let mut slopes: Vec<f32> = domain
        .distance
        .iter()
        .zip(u.iter())
        .map(|(distance, value)| {
            if *distance < 0.0 {
                value / (-distance).max(0.3)
            } else {
                0.0
            }
        })
        .collect();
    for _ in 0..3 {
        let before = slopes.clone();
        for y in 1..height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let index = y * width + x;
                if before[index] > 0.0 {
                    continue;
                }
                let around = [index - 1, index + 1, index - width, index + width];
                let (sum, count) = around
                    .into_iter()
                    .filter(|&next| before[next] > 0.0)
                    .fold((0.0, 0), |(sum, count), next| (sum + before[next], count + 1));
                if count > 0 {
                    slopes[index] = sum / count as f32;
                }
            }
        }
    }
    for (index, value) in u.iter_mut().enumerate() {
        if domain.distance[index] >= 0.0 {
            *value = -domain.distance[index] * slopes[index].max(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use bozzetto_engine::{CancelToken, RunContext};

    use super::*;
    use crate::progress::Progress;

    #[test]
    fn a_disc_becomes_a_hemisphere() {
        let side = 121;
        let radius = 50.3;
        let distance: Vec<f32> = (0..side * side)
            .map(|index| {
                let (x, y) = ((index % side) as f32 - 60.0, (index / side) as f32 - 60.0);
                (x * x + y * y).sqrt() - radius
            })
            .collect();
        let domain = Domain {
            width: side,
            height: side,
            distance,
        };
        let context = RunContext {
            cancel: CancelToken::new(),
            emit: &|_| (),
        };
        let progress = Progress::new(&context, "carve");
        let u = solve(&domain, f32::INFINITY, &progress.part(0, 1, 1)).expect("not cancelled");
        for r in [0usize, 20, 40, 48] {
            let wanted = (radius * radius - (r * r) as f32).sqrt();
            let got = u[60 * side + 60 + r].sqrt();
            assert!((got - wanted).abs() < 0.4, "at {r}: {got} instead of {wanted}");
        }
    }
}
