use std::sync::Arc;

use bozzetto_asset::TriMesh;
use glam::Vec2;
use rayon::prelude::*;
use uvunwrap::{Density, MeshInput, Options, Packing};

use crate::background::{Reporter, in_background};
use crate::pieces::pieces;
use crate::topology::gather;
use crate::{Control, MeshError, Step};

/// Above this many faces charts are packed by their outlines' extents instead of their full shapes: somewhat looser
/// and many times faster.
const SHAPE_PACKING_UP_TO: usize = 120_000;
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

/// Cuts the surface into charts and lays them flat on one square texture without overlap, `padding_px` empty texels
/// around each.
pub fn unwrap(mesh: &TriMesh, texture_px: u32, padding_px: u32, control: &Control<'_>) -> Result<Unwrapped, MeshError> {
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
    let pieces: Vec<Piece> = pieces(mesh, faces_a_piece)
        .into_par_iter()
        .map(|faces| Piece::new(mesh, faces))
        .collect();
    let pieces = Arc::new(pieces);
    let options = Options {
        density: Density::Auto { page_size: texture_px },
        padding: padding_px,
        packing: if num_faces <= SHAPE_PACKING_UP_TO {
            Packing::Shape
        } else {
            Packing::Fast
        },
        ..Options::default()
    };
    let of_thread = Arc::clone(&pieces);
    let atlas = in_background(Step::Unwrap, control, move |reporter| {
        let inputs = of_thread
            .iter()
            .map(|piece| MeshInput::new(&piece.positions, &piece.indices));
        let inputs: Vec<_> = inputs.collect();
        uvunwrap::generate_with_progress(&inputs, &options, |progress| report(reporter, progress, num_faces))
    })?
    .map_err(|panic| failed(panic.to_owned()))?
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

/// A part of the surface with vertices of its own.
struct Piece {
    faces: Vec<u32>,
    /// Of the whole, by place in the piece.
    vertices: Vec<u32>,
    positions: Vec<[f32; 3]>,
    indices: Vec<u32>,
}

impl Piece {
    fn new(mesh: &TriMesh, faces: Vec<u32>) -> Self {
        let corners = || faces.iter().flat_map(|&face| mesh.triangles[face as usize]);
        let mut vertices: Vec<u32> = corners().collect();
        vertices.sort_unstable();
        vertices.dedup();
        let local = |vertex: u32| vertices.binary_search(&vertex).map_or(0, |place| place as u32);
        Self {
            positions: vertices
                .iter()
                .map(|&vertex| mesh.positions[vertex as usize].to_array())
                .collect(),
            indices: corners().map(local).collect(),
            vertices,
            faces,
        }
    }
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
    use crate::topology::DisjointSets;
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
    fn faces_keep_their_places() {
        let mesh = shapes::torus(0.3, 0.1, 24, 12);
        let unwrapped = unwrap(&mesh, 256, 2, &Control::silent()).unwrap().mesh;
        for face in 0..mesh.triangles.len() {
            assert_eq!(mesh.corners(face), unwrapped.corners(face));
        }
    }
}
