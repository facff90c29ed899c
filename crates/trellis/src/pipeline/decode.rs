use std::sync::Arc;

use bozzetto_asset::{PbrVolume, TriMesh};

use super::{Latent, OnProgress};
use crate::Result;
use crate::decoder::{MaterialDecoder, ShapeDecoder};
use crate::dual_grid::{DualGrid, material_volume};
use crate::networks::{Network, Networks};
use crate::sparse::ScratchMemory;

/// What latents decode to, in the model frame.
pub struct Decoded {
    /// The surface.
    pub mesh: Arc<TriMesh>,
    /// The materials at it.
    pub volume: Arc<PbrVolume>,
}

/// Decodes a shape and its material to `resolution` voxels along an edge.
pub fn decode(
    networks: &mut Networks,
    shape: &Latent,
    material: &Latent,
    resolution: u32,
    scratch: ScratchMemory,
    on_block: OnProgress<'_>,
) -> Result<Decoded> {
    let device = networks.device();
    networks.load(&[Network::ShapeDecoder])?;
    let voxels = networks.get::<ShapeDecoder>(Network::ShapeDecoder)?.decode(
        &shape.coords.on(device)?,
        &shape.features.on(device)?,
        scratch,
        // The two decoders take turns: each is half of the progress.
        &mut |done, total| on_block(done, 2 * total),
    )?;
    let mesh = DualGrid::from_features(&voxels.features)?.mesh(voxels.tree.finest(), resolution)?;
    let tree = voxels.tree;
    networks.load(&[Network::MaterialDecoder])?;
    let decoder = networks.get::<MaterialDecoder>(Network::MaterialDecoder)?;
    let latent = material.features.on(device)?;
    let attributes = decoder.decode(&latent, &tree, scratch, &mut |done, total| {
        on_block(total + done, 2 * total)
    })?;
    let volume = material_volume(tree.finest(), &attributes, resolution)?;
    Ok(Decoded {
        mesh: Arc::new(mesh),
        volume: Arc::new(volume),
    })
}
