use glam::Vec3;

use super::smooth_max;
use crate::fit::FittedView;

/// Cosine beyond which two views look along one line.
const SAME_AXIS: f32 = 0.97;
/// Width over which the creases between two views' cones are rounded, in grid steps. The true surface touches the
/// cones along lines and lies inside at the creases, so rounding them errs on the right side.
const SOFTNESS_STEPS: f32 = 1.5;

/// The soft visual hull: the smooth intersection of the outlines' cones.
///
/// Views without a known camera that look along one line from both ends, such as front and back, should show
/// mirrored outlines; drawn by hand or by a model they differ. Each point then takes their weighted mean distance,
/// which passes half-way between the two outlines and costs both equally little.
pub(super) struct HullField<'a> {
    pub views: &'a [FittedView],
    /// Views by the line they look along.
    pub axes: Vec<Vec<usize>>,
    softness: f32,
}

impl<'a> HullField<'a> {
    pub fn new(views: &'a [FittedView], step: f32) -> Self {
        let mut axes: Vec<Vec<usize>> = Vec::new();
        for (index, view) in views.iter().enumerate() {
            let forward = view.projector.forward();
            let along = axes
                .iter_mut()
                .find(|axis| views[axis[0]].projector.forward().dot(forward).abs() > SAME_AXIS);
            match along {
                Some(axis) => axis.push(index),
                None => axes.push(vec![index]),
            }
        }
        Self {
            views,
            axes,
            softness: SOFTNESS_STEPS * step,
        }
    }

    /// Signed distance, metres; a lower bound of the true one outside.
    pub fn distance(&self, point: Vec3) -> f32 {
        let mut largest = f32::MIN;
        for axis in &self.axes {
            let distance = self.axis_distance(axis, point);
            largest = if largest == f32::MIN {
                distance
            } else {
                smooth_max(largest, distance, self.softness)
            };
        }
        largest
    }

    fn axis_distance(&self, axis: &[usize], point: Vec3) -> f32 {
        let mut guessed = 0.0;
        let mut weights = 0.0;
        let mut largest = f32::MIN;
        for &index in axis {
            let view = &self.views[index];
            let seen = view.projector.project(point);
            let distance = view.silhouette.distance(seen.pixel) * seen.metres_per_px;
            if view.is_exact {
                largest = largest.max(distance);
            } else {
                let weight = view.view.weight.max(1e-3);
                guessed += weight * distance;
                weights += weight;
            }
        }
        if weights > 0.0 {
            largest = largest.max(guessed / weights);
        }
        largest
    }
}
