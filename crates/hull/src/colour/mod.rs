//! Paints the surface from the pictures: vertex colours, a fine volume to bake textures from, and splats.

mod depth;
mod fill;
mod paint;
mod picture;
mod splats;
mod volume;

use std::sync::Arc;

use bozzetto_asset::{GaussianSplats, PbrVolume, TriMesh};
use bozzetto_engine::{EngineError, Event, Preview};
use rayon::prelude::*;

use crate::fit::Fitted;
use crate::params::Settings;
use crate::progress::Progress;
use crate::surface::Surface;
use depth::DepthMap;
use fill::Fill;
use paint::{Painter, Touch};

/// What the colour stage makes.
#[derive(Debug)]
pub(crate) struct Painted {
    pub mesh: Arc<TriMesh>,
    pub volume: Arc<PbrVolume>,
    pub splats: Arc<GaussianSplats>,
}

impl Painted {
    pub fn num_bytes(&self) -> u64 {
        (self.mesh.positions.len() * 36
            + self.mesh.triangles.len() * 12
            + self.volume.coords.len() * 36
            + self.splats.len() * 56) as u64
    }
}

/// Paints vertices, volume and splats.
pub(crate) fn paint(
    fitted: &Fitted,
    surface: &Surface,
    settings: &Settings,
    progress: &Progress<'_>,
) -> Result<Painted, EngineError> {
    let mesh = &surface.mesh;
    let part = progress.part(0, 150, fitted.views.len());
    let depth_maps = fitted
        .views
        .par_iter()
        .map(|view| {
            let map = DepthMap::render(view, mesh, &part)?;
            part.advance(1)?;
            Ok(map)
        })
        .collect::<Result<Vec<_>, EngineError>>()?;
    let step = surface.field.lattice.step;
    let voxel = step / settings.texture_detail as f32;
    let painter = Painter::new(&fitted.views, depth_maps, settings, step, voxel);

    let part = progress.part(150, 300, mesh.positions.len());
    let touches = mesh
        .positions
        .par_iter()
        .zip(&mesh.normals)
        .map(|(&position, &normal)| {
            part.advance(1)?;
            Ok(painter.touch(position, normal))
        })
        .collect::<Result<Vec<Touch>, EngineError>>()?;
    let colors = fill::filled_colors(mesh, &touches, &progress.part(300, 400, 1))?;
    let mut painted = (**mesh).clone();
    painted.colors = colors;
    let painted = Arc::new(painted);
    (progress.context.emit)(Event::Preview(Preview::Mesh(painted.clone())));

    let splats = Arc::new(splats::discs(&painted, step, settings));
    (progress.context.emit)(Event::Preview(Preview::Splats(splats.clone())));
    let fill = Fill::new(&painted, step);
    let part = progress.part(400, 1000, surface.field.bricks.len());
    let volume = volume::painted_volume(&surface.field, &painter, &fill, settings, &part)?;
    Ok(Painted {
        mesh: painted,
        volume: Arc::new(volume),
        splats,
    })
}
