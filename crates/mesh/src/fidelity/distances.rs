use bozzetto_asset::TriMesh;
use rayon::prelude::*;

use crate::nearest::SearchTree;
use crate::topology::area_normal;

/// Points that one thread looks up in a row: each search starts where the last one ended.
const CHUNK: usize = 1024;

/// From the vertices and the middles of the faces of a mesh to a surface the greatest distance, and from the middles the
/// mean one, weighted by area; metres.
pub(super) fn greatest_and_mean(from: &TriMesh, to: &SearchTree) -> (f32, f32) {
    let distance = |point, hint: &mut Option<u32>| {
        let nearest = to.nearest_from(point, *hint);
        *hint = nearest.map(|nearest| nearest.face);
        nearest.map_or(0.0, |nearest| nearest.distance_squared.sqrt())
    };
    let greatest_of_vertices = from
        .positions
        .par_chunks(CHUNK)
        .map(|points| {
            let mut hint = None;
            points
                .iter()
                .map(|&point| distance(point, &mut hint))
                .fold(0.0, f32::max)
        })
        .reduce(|| 0.0, f32::max);
    let chunks: Vec<(f32, f64, f64)> = from
        .triangles
        .par_chunks(CHUNK)
        .map(|faces| {
            let mut hint = None;
            faces.iter().fold((0.0_f32, 0.0, 0.0), |(greatest, sum, total), face| {
                let corners = face.map(|vertex| from.positions[vertex as usize]);
                let found = distance(corners.iter().sum::<glam::Vec3>() / 3.0, &mut hint);
                let area = f64::from(area_normal(corners).length());
                (greatest.max(found), sum + area * f64::from(found), total + area)
            })
        })
        .collect();
    let greatest = chunks
        .iter()
        .fold(greatest_of_vertices, |greatest, chunk| greatest.max(chunk.0));
    let (sum, total) = chunks
        .iter()
        .fold((0.0, 0.0), |(sum, total), chunk| (sum + chunk.1, total + chunk.2));
    (greatest, if total > 0.0 { (sum / total) as f32 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn two_balls_are_as_far_apart_as_their_radii() {
        let (small, large) = (shapes::icosphere(0.4, 5), shapes::icosphere(0.41, 5));
        let (greatest, mean) = greatest_and_mean(&small, &SearchTree::new(&large));
        assert!(
            (greatest - 0.01).abs() < 1e-4 && (mean - 0.01).abs() < 1e-4,
            "{greatest} {mean}"
        );
        let (greatest, mean) = greatest_and_mean(&small, &SearchTree::new(&small));
        assert!(greatest < 1e-6 && mean < 1e-6, "{greatest} {mean}");
    }

    #[test]
    fn one_stray_vertex_is_found_by_its_distance_alone() {
        let ball = shapes::icosphere(0.4, 5);
        let mut dented = ball.clone();
        dented.positions[100] *= 1.05;
        let (greatest, mean) = greatest_and_mean(&dented, &SearchTree::new(&ball));
        assert!((greatest - 0.02).abs() < 1e-3 && mean < 1e-4, "{greatest} {mean}");
    }
}
