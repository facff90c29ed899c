mod piece;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bozzetto_asset::TriMesh;
use glam::Vec2;
use piece::Piece;
use rayon::prelude::*;
use uvunwrap::{Atlas, Density, MeshInput, Options, Packing};

use crate::background::{Reporter, in_background};
use crate::clean::neighbors;
use crate::pieces::pieces;
use crate::topology::{DisjointSets, NONE, area_normal, gather};
use crate::{Control, MeshError, Step};

/// Above this many faces, or parts that bend smoothly, charts are packed by their outlines' extents instead of their full
/// shapes: somewhat looser and many times faster. It is the number of charts that takes time, which is not known before.
const SHAPE_PACKING_UP_TO: usize = 120_000;
const SHAPE_PACKING_UP_TO_PARTS: usize = 1_000;
/// Cosine of the angle between two faces beyond which they are not one part.
const SMOOTH: f32 = 0.5;
/// Above this many faces the surface is cut into pieces that are unwrapped side by side. Their borders become seams, but
/// charts of a hundred thousand faces, whose equations take a processor seconds, do not come about.
const WHOLE_UP_TO: usize = 120_000;
const PIECE_FACES: usize = 16_000;

/// A mesh with texture coordinates and what is to be known of the layout.
#[derive(Clone, Debug)]
pub struct Unwrapped {
    /// The mesh; vertices on seams are there once a chart, all else is as it was. UVs lie in `[0, 1]`, origin at the
    /// top left, and faces are counter-clockwise as seen in the picture, so nothing in it is mirrored.
    pub mesh: TriMesh,
    /// Charts.
    pub num_charts: u32,
    /// Share of the texture that charts cover, `[0, 1]`.
    pub utilization: f32,
}

/// The library: charts of several meshes on one atlas, or nothing when it failed.
type Generate = fn(
    &[MeshInput<'_>],
    &Options,
    &(dyn Fn(uvunwrap::Progress) -> bool + Sync),
) -> Option<Result<Atlas, uvunwrap::Error>>;

/// Its direct solver (faer 0.22) panics on some ragged charts.
fn generate(
    inputs: &[MeshInput<'_>],
    options: &Options,
    progress: &(dyn Fn(uvunwrap::Progress) -> bool + Sync),
) -> Option<Result<Atlas, uvunwrap::Error>> {
    catch_unwind(AssertUnwindSafe(|| {
        uvunwrap::generate_with_progress(inputs, options, progress)
    }))
    .ok()
}

/// Cuts the surface into charts and lays them flat on one square texture without overlap, `padding_px` empty texels
/// around each.
pub fn unwrap(mesh: &TriMesh, texture_px: u32, padding_px: u32, control: &Control<'_>) -> Result<Unwrapped, MeshError> {
    unwrap_by(generate, mesh, texture_px, padding_px, control)
}

fn unwrap_by(
    generate: Generate,
    mesh: &TriMesh,
    texture_px: u32,
    padding_px: u32,
    control: &Control<'_>,
) -> Result<Unwrapped, MeshError> {
    let num_faces = mesh.triangles.len();
    let failed = |cause: String| MeshError::UnwrapFailed {
        num_faces,
        texture_px,
        cause,
    };
    let faces_a_piece = if num_faces <= WHOLE_UP_TO {
        num_faces
    } else {
        PIECE_FACES
    };
    let pieces: Vec<_> = pieces(mesh, faces_a_piece)
        .into_par_iter()
        .map(|faces| Piece::new(mesh, faces))
        .collect();
    let options = Options {
        density: Density::Auto { page_size: texture_px },
        padding: padding_px,
        packing: packing(mesh),
        ..Options::default()
    };
    let (pieces, atlas) = in_background(Step::Unwrap, control, move |reporter| {
        let layout = |pieces: &[Piece]| {
            let inputs: Vec<_> = pieces.iter().map(Piece::input).collect();
            generate(&inputs, &options, &|progress| report(reporter, progress, num_faces))
        };
        if let Some(atlas) = layout(&pieces) {
            return (pieces, Some(atlas));
        }
        tracing::warn!("the layout failed as a whole: charts are made piece by piece");
        let flattened = |piece: Piece| piece.flattened(&options, generate);
        let pieces: Vec<_> = pieces.into_par_iter().map(flattened).collect();
        let atlas = layout(&pieces);
        (pieces, atlas)
    })?
    .map_err(|panic| failed(panic.to_owned()))?;
    let atlas = atlas
        .ok_or_else(|| failed("the library failed".to_owned()))?
        .map_err(|error| match error {
            uvunwrap::Error::Cancelled => MeshError::Cancelled { step: Step::Unwrap },
            other => failed(other.to_string()),
        })?;
    if atlas.meshes.len() != pieces.len() {
        return Err(failed("not every piece came back".to_owned()));
    }

    // A page is cropped to the rows in use, and charts that fit no single page come on several: both are mapped to
    // one square, the latter as a grid of smaller squares.
    let grid = f64::from(atlas.page_count.max(1)).sqrt().ceil() as u32;
    let scale = Vec2::new(atlas.width as f32, atlas.height as f32) / (texture_px * grid) as f32;
    let mut sources = Vec::new();
    let mut uvs = Vec::new();
    let mut triangles = vec![[0; 3]; num_faces];
    for (piece, output) in pieces.iter().zip(&atlas.meshes) {
        let base = sources.len() as u32;
        sources.extend(
            output
                .vertices
                .iter()
                .map(|vertex| piece.vertices[vertex.xref as usize]),
        );
        uvs.extend(output.vertices.iter().map(|vertex| {
            let page = vertex.page.unwrap_or(0);
            let corner = Vec2::new((page % grid) as f32, (page / grid) as f32) / grid as f32;
            let uv = corner + Vec2::from(vertex.uv) * scale;
            // Faces come out clockwise as seen in the picture.
            Vec2::new(uv.x, 1.0 - uv.y).clamp(Vec2::ZERO, Vec2::ONE)
        }));
        for (&face, corners) in piece.faces.iter().zip(output.indices.as_chunks().0) {
            triangles[face as usize] = corners.map(|corner: u32| base + corner);
        }
    }
    let mut unwrapped = gather(mesh, &sources, triangles);
    unwrapped.uvs = uvs;
    Ok(Unwrapped {
        mesh: unwrapped,
        num_charts: atlas.chart_count,
        utilization: atlas.utilization * scale.x * scale.y * atlas.page_count as f32,
    })
}

fn packing(mesh: &TriMesh) -> Packing {
    if mesh.triangles.len() <= SHAPE_PACKING_UP_TO && num_smooth_parts(mesh) <= SHAPE_PACKING_UP_TO_PARTS {
        Packing::Shape
    } else {
        Packing::Fast
    }
}

/// Parts of the surface within which no two neighbouring faces meet at a sharp angle.
fn num_smooth_parts(mesh: &TriMesh) -> usize {
    let num_faces = mesh.triangles.len();
    let normals: Vec<_> = (0..num_faces)
        .into_par_iter()
        .map(|face| area_normal(mesh.corners(face)).normalize_or_zero())
        .collect();
    let mut parts = DisjointSets::new(num_faces);
    for (face, around) in neighbors(&mesh.triangles).iter().enumerate() {
        for &other in around.iter().filter(|&&other| other != NONE) {
            if normals[face].dot(normals[other as usize]) > SMOOTH {
                parts.unite(face as u32, other);
            }
        }
    }
    (0..num_faces as u32).filter(|&face| parts.find(face) == face).count()
}

/// Packing has no known total: it is shown as the second half of twice the faces, each trial half of what is left.
fn report(reporter: &Reporter, progress: uvunwrap::Progress, num_faces: usize) -> bool {
    let faces = num_faces as u64;
    let done = match progress.stage {
        uvunwrap::Stage::Segmenting => 0,
        uvunwrap::Stage::Parameterizing => progress.done as u64,
        uvunwrap::Stage::Packing => 2 * faces - (faces >> progress.done.min(63)),
        _ => 2 * faces,
    };
    reporter.report(done, 2 * faces);
    !reporter.is_cancelled()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bake::texels::{barycentric, texel_bounds};
    use crate::{shapes, uv_overlap};

    #[test]
    fn charts_lie_in_the_square_without_overlap_or_mirroring() {
        for mesh in [
            shapes::icosphere(0.4, 4),
            shapes::torus(0.3, 0.1, 64, 32),
            shapes::cube(glam::Vec3::ZERO),
        ] {
            let unwrapped = unwrap(&mesh, 512, 2, &Control::silent()).unwrap();
            assert_eq!(unwrapped.mesh.triangles.len(), mesh.triangles.len());
            assert!(
                unwrapped
                    .mesh
                    .uvs
                    .iter()
                    .all(|uv| uv.cmpge(Vec2::ZERO).all() && uv.cmple(Vec2::ONE).all())
            );
            assert_eq!(uv_overlap(&unwrapped.mesh, 1024), 0.0);
            for triangle in &unwrapped.mesh.triangles {
                let [a, b, c] = triangle.map(|vertex| unwrapped.mesh.uvs[vertex as usize]);
                assert!(
                    (b - a).perp_dot(c - a) < 0.0,
                    "v grows downwards: counter-clockwise is negative"
                );
            }
            assert!(
                unwrapped.utilization > 0.3 && unwrapped.num_charts > 0,
                "{}",
                unwrapped.utilization
            );
        }
    }

    /// Charts by vertex: in a layout those that share a face are of one chart.
    fn chart_of_each_vertex(mesh: &TriMesh) -> Vec<u32> {
        let mut charts = DisjointSets::new(mesh.positions.len());
        for &[a, b, c] in &mesh.triangles {
            charts.unite(a, b);
            charts.unite(b, c);
        }
        (0..mesh.positions.len() as u32)
            .map(|vertex| charts.find(vertex))
            .collect()
    }

    /// The least number of texels between two charts along a row, a column or both, up to `most`.
    fn least_gap(mesh: &TriMesh, size: usize, most: usize) -> usize {
        let charts = chart_of_each_vertex(mesh);
        let mut owners = vec![u32::MAX; size * size];
        for triangle in &mesh.triangles {
            let uvs = triangle.map(|vertex| mesh.uvs[vertex as usize] * size as f32);
            let (low, high) = texel_bounds(&uvs, 0.0, size);
            for (x, y) in (low.1..high.1).flat_map(|y| (low.0..high.0).map(move |x| (x, y))) {
                let center = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                if barycentric(center, &uvs).is_some_and(|weights| weights.min_element() >= 0.0) {
                    owners[y * size + x] = charts[triangle[0] as usize];
                }
            }
        }
        let is_other = |owner: u32, x: usize, y: usize| {
            x < size && y < size && owners[y * size + x] != u32::MAX && owners[y * size + x] != owner
        };
        (1..=most)
            .find(|&step| {
                (0..size * size)
                    .filter(|&texel| owners[texel] != u32::MAX)
                    .any(|texel| {
                        let (x, y) = (texel % size, texel / size);
                        let ring = (0..=step).flat_map(|i| [(x + step, y + i), (x + i, y + step)]);
                        ring.chain((1..=step.min(x)).map(|i| (x - i, y + step)))
                            .any(|(x, y)| is_other(owners[texel], x, y))
                    })
            })
            .map_or(most, |step| step - 1)
    }

    #[test]
    fn charts_keep_their_distance_whole_and_in_pieces() {
        for (around, along) in [(120, 60), (480, 140)] {
            let mesh = shapes::bumpy(&shapes::torus(0.3, 0.1, around, along), 0, 0.01, 40.0);
            assert_eq!(mesh.triangles.len() > WHOLE_UP_TO, around == 480);
            let unwrapped = unwrap(&mesh, 1024, 4, &Control::silent()).unwrap();
            assert!(unwrapped.num_charts > 1);
            assert_eq!(uv_overlap(&unwrapped.mesh, 1024), 0.0);
            let gap = least_gap(&unwrapped.mesh, 1024, 6);
            assert!(
                gap >= 4,
                "{gap} texels between charts of {} faces",
                mesh.triangles.len()
            );
        }
    }

    #[test]
    fn a_cancel_ends_a_large_layout_at_once() {
        let mesh = shapes::torus(0.3, 0.1, 480, 140);
        let looks = std::sync::atomic::AtomicUsize::new(0);
        let control = Control {
            is_cancelled: &|| looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 5,
            ..Control::silent()
        };
        let error = unwrap(&mesh, 1024, 4, &control).unwrap_err();
        assert_eq!(error, MeshError::Cancelled { step: Step::Unwrap });
    }

    #[test]
    fn ragged_surfaces_are_packed_by_extent() {
        assert_eq!(num_smooth_parts(&shapes::cube(glam::Vec3::ZERO)), 6);
        assert_eq!(num_smooth_parts(&shapes::torus(0.3, 0.1, 64, 32)), 1);
        // Little roofs side by side: each slope is a part of its own.
        let ridge = |place: usize| {
            let (x, y) = ((place % 40) as f32, (place / 40) as f32);
            let corner = |dx: f32, dy: f32, z: f32| glam::Vec3::new(x + 0.8 * dx, y + 0.8 * dy, z) / 40.0;
            [
                corner(0.0, 0.0, 0.0),
                corner(0.5, 0.0, 1.0),
                corner(0.5, 1.0, 1.0),
                corner(0.0, 1.0, 0.0),
                corner(1.0, 0.0, 0.0),
                corner(1.0, 1.0, 0.0),
            ]
        };
        let positions: Vec<_> = (0..40 * 20).flat_map(ridge).collect();
        let triangles = (0..40 * 20).flat_map(|place| {
            let at = |[a, b, c]: [u32; 3]| [6 * place + a, 6 * place + b, 6 * place + c];
            [at([0, 1, 2]), at([0, 2, 3]), at([1, 4, 5]), at([1, 5, 2])]
        });
        let mesh = TriMesh::new(positions, triangles.collect());
        assert_eq!(num_smooth_parts(&mesh), 1600);
        let unwrapped = unwrap(&mesh, 1024, 2, &Control::silent()).unwrap();
        assert_eq!(uv_overlap(&unwrapped.mesh, 1024), 0.0);
        assert!(unwrapped.num_charts >= 800, "{}", unwrapped.num_charts);
    }

    #[test]
    fn what_the_library_fails_on_is_laid_out_in_smaller_parts() {
        /// As if no surface with more than a few faces could be cut into charts.
        fn failing(
            inputs: &[MeshInput<'_>],
            options: &Options,
            progress: &(dyn Fn(uvunwrap::Progress) -> bool + Sync),
        ) -> Option<Result<Atlas, uvunwrap::Error>> {
            let is_large = |input: &MeshInput<'_>| input.existing_uvs.is_none() && input.indices.len() > 3 * 100;
            if inputs.iter().any(is_large) {
                return None;
            }
            generate(inputs, options, progress)
        }
        for mesh in [shapes::torus(0.3, 0.1, 64, 32), shapes::cube(glam::Vec3::ZERO)] {
            let unwrapped = unwrap_by(failing, &mesh, 512, 2, &Control::silent()).unwrap();
            assert_eq!(uv_overlap(&unwrapped.mesh, 1024), 0.0);
            for face in 0..mesh.triangles.len() {
                assert_eq!(mesh.corners(face), unwrapped.mesh.corners(face));
            }
            assert!(unwrapped.utilization > 0.2, "{}", unwrapped.utilization);
        }
        // Even single faces.
        let none: Generate = |inputs, options, progress| {
            let is_made = inputs.iter().all(|input| input.existing_uvs.is_some());
            is_made.then(|| generate(inputs, options, progress)).flatten()
        };
        let unwrapped = unwrap_by(none, &shapes::icosphere(0.4, 2), 512, 2, &Control::silent()).unwrap();
        assert_eq!((uv_overlap(&unwrapped.mesh, 1024), unwrapped.num_charts), (0.0, 320));
    }

    #[test]
    fn faces_keep_their_places() {
        let mesh = shapes::torus(0.3, 0.1, 24, 12);
        let unwrapped = unwrap(&mesh, 256, 2, &Control::silent()).unwrap().mesh;
        for face in 0..mesh.triangles.len() {
            assert_eq!(mesh.corners(face), unwrapped.corners(face));
        }
    }
}
