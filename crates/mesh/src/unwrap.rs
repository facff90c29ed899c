use bozzetto_asset::TriMesh;
use glam::Vec2;
use rayon::prelude::*;
use uvunwrap::{Density, MeshInput, Options, Packing};

use crate::background::{Reporter, in_background};
use crate::topology::gather;
use crate::{Control, MeshError, Step};

/// Above this many faces charts are packed by their outlines' extents instead of their full shapes: somewhat looser
/// and many times faster.
const SHAPE_PACKING_UP_TO: usize = 120_000;

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
    /// Texels along a metre of the surface.
    pub texels_per_metre: f32,
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
    let positions: Vec<[f32; 3]> = mesh.positions.iter().map(glam::Vec3::to_array).collect();
    let indices: Vec<u32> = mesh.triangles.as_flattened().to_vec();
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
    let atlas = in_background(Step::Unwrap, control, move |reporter| {
        let input = MeshInput::new(&positions, &indices);
        uvunwrap::generate_with_progress(&[input], &options, |progress| report(reporter, progress, num_faces))
    })?
    .map_err(|panic| failed(panic.to_owned()))?
    .map_err(|error| match error {
        uvunwrap::Error::Cancelled => MeshError::Cancelled { step: Step::Unwrap },
        other => failed(other.to_string()),
    })?;
    let [output] = &atlas.meshes[..] else {
        return Err(failed("no mesh came back".to_owned()));
    };

    // A page is cropped to the rows in use, and charts that fit no single page come on several: both are mapped to
    // one square, the latter as a grid of smaller squares.
    let grid = f64::from(atlas.page_count.max(1)).sqrt().ceil() as u32;
    let scale = Vec2::new(atlas.width as f32, atlas.height as f32) / (texture_px * grid) as f32;
    let sources: Vec<u32> = output.vertices.iter().map(|vertex| vertex.xref).collect();
    let triangles = output
        .indices
        .chunks_exact(3)
        .map(|corners| [corners[0], corners[1], corners[2]])
        .collect();
    let mut unwrapped = gather(mesh, &sources, triangles);
    unwrapped.uvs = output
        .vertices
        .par_iter()
        .map(|vertex| {
            let page = vertex.page.unwrap_or(0);
            let corner = Vec2::new((page % grid) as f32, (page / grid) as f32) / grid as f32;
            let uv = corner + Vec2::from(vertex.uv) * scale;
            // Faces come out clockwise as seen in the picture.
            Vec2::new(uv.x, 1.0 - uv.y).clamp(Vec2::ZERO, Vec2::ONE)
        })
        .collect();
    Ok(Unwrapped {
        mesh: unwrapped,
        num_charts: atlas.chart_count,
        utilization: atlas.utilization * scale.x * scale.y * atlas.page_count as f32,
        texels_per_metre: atlas.texels_per_unit / grid as f32,
    })
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

    #[test]
    fn faces_keep_their_places() {
        let mesh = shapes::torus(0.3, 0.1, 24, 12);
        let unwrapped = unwrap(&mesh, 256, 2, &Control::silent()).unwrap().mesh;
        for face in 0..mesh.triangles.len() {
            assert_eq!(mesh.corners(face), unwrapped.corners(face));
        }
    }
}
