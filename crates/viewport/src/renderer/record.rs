use super::Renderer;
use super::ready::has_solid_layer;
use crate::picture::Drawn;
use crate::recorder::{Recorder, Stage};
use crate::scene::voxel_part::VoxelPart;
use crate::targets::{Targets, color_attachment, depth_attachment};
use crate::{Frame, Picture, Scene, SplatTier};

impl Renderer {
    /// Records the passes of a frame that is ready.
    pub(super) fn record(&self, scene: &Scene, picture: &Picture, recorder: &mut Recorder<'_>, drawn: &Drawn) {
        let has_solid_layer = has_solid_layer(scene, picture, &drawn.frame);
        if has_solid_layer {
            self.record_solid(scene, picture, recorder, &drawn.frame);
        }
        self.record_splats(scene, picture, recorder, drawn.tier, has_solid_layer);
        let (Some(targets), Some((_, frame_group))) = (&picture.targets, &picture.uniforms) else {
            return;
        };
        if let (Some(SplatTier::Tiles), Some(tiles)) = (drawn.tier, &picture.tiles) {
            self.splats.record_composite(tiles, recorder, frame_group);
            return;
        }
        let color = color_attachment(&targets.picture, wgpu::Color::TRANSPARENT);
        let mut pass = recorder.render_pass(Stage::Composite, color, None);
        pass.set_bind_group(0, frame_group, &[]);
        self.composite.draw(&mut pass, &targets.layers.composite_group);
    }

    fn record_solid(&self, scene: &Scene, picture: &Picture, recorder: &mut Recorder<'_>, frame: &Frame) {
        let settings = &frame.settings;
        let (Some(targets), Some((_, frame_group))) = (&picture.targets, &picture.uniforms) else {
            return;
        };
        let mesh = scene.mesh(settings);
        let mesh = mesh.and_then(|mesh| mesh.groups.as_ref().map(|groups| (mesh, groups)));
        let Some(light) = self.lights.light(settings.environment) else {
            return;
        };
        let is_seen_through = mesh.is_some_and(|(mesh, _)| mesh.is_seen_through(settings.shading));
        let mut pass = solid_pass(recorder, targets);
        pass.set_bind_group(0, frame_group, &[]);
        if let Some((mesh, groups)) = mesh.filter(|_| !is_seen_through) {
            self.mesh
                .draw(&mut pass, mesh, &groups.material, light, is_seen_through);
        }
        if let Some(voxels) = scene.voxels.as_ref().and_then(VoxelPart::buffers) {
            self.voxels.draw(&mut pass, voxels, light);
        }
        if let Some(group) = scene.cameras.as_ref().and_then(|part| part.group.as_ref()) {
            self.photos.draw(&mut pass, group, &picture.photos);
        }
        self.lines.draw(&mut pass, &picture.lines);
        if let Some(group) = scene.ground_group.as_ref().filter(|_| scene.has_ground(settings)) {
            self.ground.draw(&mut pass, group);
        }
        if let Some((mesh, groups)) = mesh.filter(|_| is_seen_through) {
            self.mesh
                .draw(&mut pass, mesh, &groups.material, light, is_seen_through);
        }
        if let Some((mesh, groups)) = mesh.filter(|_| settings.wireframe) {
            self.wireframe.draw(&mut pass, mesh, &groups.wireframe);
        }
    }

    fn record_splats(
        &self,
        scene: &Scene,
        picture: &Picture,
        recorder: &mut Recorder<'_>,
        tier: Option<SplatTier>,
        has_solid_layer: bool,
    ) {
        let (Some(targets), Some((_, frame_group))) = (&picture.targets, &picture.uniforms) else {
            return;
        };
        let (Some(part), Some(tier)) = (&scene.splats, tier) else {
            // The composite reads the layer all the same.
            let color = color_attachment(&targets.layers.splats, wgpu::Color::TRANSPARENT);
            recorder.render_pass(Stage::Raster, color, None);
            return;
        };
        self.splats.record_order(part, recorder, frame_group, tier);
        let mut pass = recorder.encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("depth resolve"),
            depth_stencil_attachment: Some(depth_attachment(&targets.layers.depth, wgpu::LoadOp::Clear(0.0))),
            ..wgpu::RenderPassDescriptor::default()
        });
        if has_solid_layer {
            self.depth_resolve.draw(&mut pass, &targets.layers.depth_group);
        }
        drop(pass);
        self.splats
            .record_layer(part, picture.tiles.as_ref(), recorder, frame_group, targets, tier);
    }
}

fn solid_pass<'a>(recorder: &'a mut Recorder<'_>, targets: &Targets) -> wgpu::RenderPass<'a> {
    let color = wgpu::RenderPassColorAttachment {
        view: &targets.layers.solid_samples,
        depth_slice: None,
        resolve_target: Some(&targets.layers.solid),
        ops: wgpu::Operations {
            load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
            store: wgpu::StoreOp::Discard,
        },
    };
    let depth = depth_attachment(&targets.layers.solid_depth, wgpu::LoadOp::Clear(0.0));
    recorder.render_pass(Stage::Solid, color, Some(depth))
}
