use std::sync::{Arc, PoisonError};

use super::Renderer;
use crate::draw::environment::EnvironmentLights;
use crate::frame_uniforms::{FrameUniforms, Purpose, SplatNumbers};
use crate::picture::Drawn;
use crate::scene::mesh_part::MeshGroups;
use crate::scene::voxel_part::VoxelPart;
use crate::targets::{Layers, Targets};
use crate::{Frame, Picture, Scene, gpu};

impl Renderer {
    /// Makes the bindings of a scene's content that are not there yet. The first frame does it as well: call it where
    /// content is uploaded, so that the window need not wait.
    pub fn bind_scene(&self, scene: &mut Scene, device: &wgpu::Device) {
        for mesh in [&mut scene.textured, &mut scene.raw].into_iter().flatten() {
            if mesh.groups.is_none() {
                mesh.groups = Some(MeshGroups {
                    material: self.mesh.bind(device, mesh),
                    wireframe: self.wireframe.bind(device, mesh),
                });
            }
        }
        if let Some(part) = &mut scene.splats {
            self.splats.bind(device, part);
        }
        if let Some(buffers) = scene.voxels.as_mut().and_then(VoxelPart::buffers_mut) {
            self.voxels.make_ready(device, buffers);
        }
        if let Some(cameras) = &mut scene.cameras
            && cameras.group.is_none()
        {
            cameras.group = cameras.photos.as_ref().map(|photos| self.photos.bind(device, photos));
        }
    }

    /// Makes whatever this frame needs and is not there yet, and writes what changed.
    pub(super) fn make_ready(
        &self,
        scene: &mut Scene,
        picture: &mut Picture,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        drawn: &Drawn,
    ) {
        let frame = &drawn.frame;
        let size_px = drawn.region.size_px;
        picture.forget_other_size(size_px);
        if scene.splats.is_none() {
            picture.forget_splats();
        }
        self.bind_scene(scene, device);
        let targets = picture
            .targets
            .get_or_insert_with(|| Targets::new(device, self.layers(device, size_px), &self.present));
        if scene.ground_group.is_none() {
            scene.ground_group = Some(self.ground.bind(device, queue, scene.shadow()));
        }
        if let Some(mesh) = scene.mesh_mut(&frame.settings)
            && std::mem::take(&mut mesh.needs_mips)
        {
            for texture in mesh.textures() {
                self.mips.fill(device, encoder, texture);
            }
        }
        if let (Some(part), Some(tier)) = (&scene.splats, drawn.tier) {
            self.splats
                .make_ready(device, queue, part, targets, &mut picture.tiles, tier);
            if let Some(tiles) = &picture.tiles {
                tiles.write_place(queue, drawn.region.origin_px);
            }
        }
        self.lights.make(frame.settings.environment, device, queue);
        let (lines, photos) = scene.overlays(&frame.camera, &frame.settings);
        picture.write_overlays(device, queue, &lines, &photos);
        self.write_uniforms(scene, picture, device, queue, drawn);
    }

    /// Layers of a size: those that another picture has, if it is as large.
    fn layers(&self, device: &wgpu::Device, size_px: [u32; 2]) -> Arc<Layers> {
        let mut last = self.last_layers.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = last.upgrade().filter(|layers| layers.size_px == size_px);
        shared.unwrap_or_else(|| {
            let layers = Arc::new(Layers::new(device, size_px, &self.depth_resolve, &self.composite));
            *last = Arc::downgrade(&layers);
            layers
        })
    }

    fn write_uniforms(
        &self,
        scene: &Scene,
        picture: &mut Picture,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        drawn: &Drawn,
    ) {
        let numbers = scene
            .splats
            .as_ref()
            .map_or_else(SplatNumbers::default, |part| part.numbers);
        let uniforms = FrameUniforms::new(
            &drawn.frame,
            &scene.ground(),
            numbers,
            EnvironmentLights::NUM_LEVELS,
            Purpose {
                region: drawn.region,
                keeps_straight_alpha: drawn.keeps_straight_alpha,
                has_solid_layer: has_solid_layer(scene, picture, &drawn.frame),
            },
        );
        let bytes = bytemuck::bytes_of(&uniforms);
        if let Some((buffer, _)) = &picture.uniforms {
            queue.write_buffer(buffer, 0, bytes);
        } else {
            let buffer = gpu::filled_buffer(device, queue, "frame", bytes, wgpu::BufferUsages::UNIFORM);
            let group = gpu::bind_group(device, "frame", &self.frame_layout, &[(0, buffer.as_entire_binding())]);
            picture.uniforms = Some((buffer, group));
        }
    }
}

/// Whether anything besides splats is in the frame.
pub(super) fn has_solid_layer(scene: &Scene, picture: &Picture, frame: &Frame) -> bool {
    let settings = &frame.settings;
    scene.has_ground(settings)
        || scene.mesh(settings).is_some()
        || scene.voxels.is_some()
        || picture.lines.len() > 0
        || picture.photos.len() > 0
}
