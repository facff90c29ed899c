use bozzetto_asset::Camera;
use image::RgbaImage;

use crate::draw::composite::CompositeDraw;
use crate::draw::depth_resolve::DepthResolveDraw;
use crate::draw::environment::EnvironmentLights;
use crate::draw::ground::GroundDraw;
use crate::draw::lines::LinesDraw;
use crate::draw::mesh::MeshDraw;
use crate::draw::mips::MipsDraw;
use crate::draw::photos::PhotosDraw;
use crate::draw::present::PresentDraw;
use crate::draw::splats::SplatsDraw;
use crate::draw::wireframe::WireframeDraw;
use crate::error::{FaultWatch, caught};
use crate::frame_uniforms::{FrameUniforms, SplatNumbers};
use crate::read_back::read_back;
use crate::scene::Drawn;
use crate::scene::mesh_part::MeshGroups;
use crate::targets::{Targets, color_pass, depth_attachment};
use crate::{Environment, Frame, GpuError, RenderSettings, Scene, gpu};

/// What [`Renderer::prepare`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Drew a new picture.
    Drew,
    /// Nothing had changed: the last picture stands.
    Reused,
}

/// The pipelines. Made once a device, shared by every scene on it; never changes.
pub struct Renderer {
    faults: FaultWatch,
    frame_layout: wgpu::BindGroupLayout,
    lights: EnvironmentLights,
    mesh: MeshDraw,
    wireframe: WireframeDraw,
    lines: LinesDraw,
    photos: PhotosDraw,
    ground: GroundDraw,
    splats: SplatsDraw,
    depth_resolve: DepthResolveDraw,
    composite: CompositeDraw,
    present: PresentDraw,
    mips: MipsDraw,
}

/// When splats get sorted, and how alpha is stored.
#[derive(Clone, Copy)]
struct Purpose {
    waits_for_order: bool,
    keeps_straight_alpha: bool,
}

impl Renderer {
    /// Builds every pipeline. `target_format` is that of the pass given to [`Self::blit`] (not an sRGB format: encoded
    /// values are written). Takes over the device's handlers for uncaught errors and loss.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, target_format: wgpu::TextureFormat) -> Self {
        let faults = FaultWatch::on(device);
        let frame_layout = gpu::layout(device, "frame", &[gpu::uniform_entry(0)]);
        let lights = EnvironmentLights::new(device);
        // The usual light is there before the first frame.
        lights.light(Environment::default(), device, queue);
        Self {
            faults,
            mesh: MeshDraw::new(device, &frame_layout, &lights),
            wireframe: WireframeDraw::new(device, &frame_layout),
            lines: LinesDraw::new(device, &frame_layout),
            photos: PhotosDraw::new(device, &frame_layout),
            ground: GroundDraw::new(device, &frame_layout),
            splats: SplatsDraw::new(device, &frame_layout),
            depth_resolve: DepthResolveDraw::new(device),
            composite: CompositeDraw::new(device, &frame_layout),
            present: PresentDraw::new(device, target_format),
            mips: MipsDraw::new(device),
            lights,
            frame_layout,
        }
    }

    /// Draws the scene into its own textures, unless camera, size, settings and content are those of the last picture.
    ///
    /// Splats are sorted on their own thread: while the camera moves they are drawn in the newest order there is, and
    /// the scene's wake call asks for one more frame. Device faults come back as an error once. A size of zero draws
    /// nothing.
    pub fn prepare(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        frame: &Frame,
    ) -> Result<Prepared, GpuError> {
        let purpose = Purpose {
            waits_for_order: false,
            keeps_straight_alpha: false,
        };
        self.prepare_for(purpose, scene, device, queue, encoder, frame)
    }

    /// Copies the scene's picture into a pass with `target_format`, filling its viewport, blended over what is there.
    /// A picture of another size than the viewport is stretched, so that a slow computer may draw fewer pixels.
    pub fn blit(&self, scene: &Scene, pass: &mut wgpu::RenderPass<'_>) {
        if let Some(targets) = &scene.targets {
            self.present.draw(pass, &targets.present_group);
        }
    }

    /// Draws a picture with splats sorted for exactly this camera and reads it back: straight alpha, sRGB-encoded.
    pub fn render_image(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        camera: &Camera,
        size_px: [u32; 2],
        settings: &RenderSettings,
    ) -> Result<RgbaImage, GpuError> {
        if size_px.contains(&0) {
            return Ok(RgbaImage::new(size_px[0], size_px[1]));
        }
        let frame = Frame {
            camera: *camera,
            size_px,
            settings: settings.clone(),
        };
        let purpose = Purpose {
            waits_for_order: true,
            keeps_straight_alpha: true,
        };
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("picture") });
        self.prepare_for(purpose, scene, device, queue, &mut encoder, &frame)?;
        let Some(targets) = &scene.targets else {
            return Ok(RgbaImage::new(size_px[0], size_px[1]));
        };
        let picture = read_back(device, queue, encoder, &targets.picture_texture);
        self.faults.take().map_or(picture, Err)
    }

    /// Whether the device is gone: make a new one, a new renderer and new scenes.
    pub fn is_lost(&self) -> bool {
        self.faults.is_lost()
    }

    fn prepare_for(
        &self,
        purpose: Purpose,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        frame: &Frame,
    ) -> Result<Prepared, GpuError> {
        if let Some(fault) = self.faults.take() {
            scene.drawn = None;
            return Err(fault);
        }
        if frame.size_px.contains(&0) || self.is_lost() {
            return Ok(Prepared::Reused);
        }
        gpu::check_texture(device, "The picture", frame.size_px)?;
        if let Some(splats) = scene.splats.as_mut().filter(|_| frame.settings.shows.has_splats())
            && splats.update_order(queue, frame.camera.forward(), purpose.waits_for_order)
        {
            scene.version += 1;
        }
        let drawn = Drawn {
            frame: frame.clone(),
            version: scene.version,
            keeps_straight_alpha: purpose.keeps_straight_alpha,
        };
        if scene.drawn.as_ref() == Some(&drawn) {
            return Ok(Prepared::Reused);
        }
        scene.drawn = None;
        caught(device, || {
            self.make_ready(scene, device, queue, encoder, frame, purpose);
            self.record(scene, encoder, frame);
        })?;
        scene.drawn = Some(drawn);
        Ok(Prepared::Drew)
    }

    /// Makes whatever this frame needs and is not there yet, and writes what changed.
    fn make_ready(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        frame: &Frame,
        purpose: Purpose,
    ) {
        if scene
            .targets
            .as_ref()
            .is_none_or(|targets| targets.size_px != frame.size_px)
        {
            // The old pictures go first: at 4K both together would be half a gigabyte.
            scene.targets = None;
            scene.targets = Some(Targets::new(
                device,
                frame.size_px,
                &self.depth_resolve,
                &self.composite,
                &self.present,
            ));
        }
        if scene.ground_group.is_none() {
            scene.ground_group = Some(self.ground.bind(device, queue, scene.shadow()));
        }
        if let Some(mesh) = scene.mesh_mut(&frame.settings) {
            if mesh.groups.is_none() {
                mesh.groups = Some(MeshGroups {
                    material: self.mesh.bind(device, mesh),
                    wireframe: self.wireframe.bind(device, mesh),
                });
            }
            if std::mem::take(&mut mesh.needs_mips) {
                for texture in mesh.textures() {
                    self.mips.fill(device, encoder, texture);
                }
            }
        }
        if let Some(splats) = &mut scene.splats
            && splats.groups.is_none()
        {
            splats.groups = Some(self.splats.bind(device, splats));
        }
        if let Some(cameras) = &mut scene.cameras
            && cameras.group.is_none()
        {
            cameras.group = cameras.photos.as_ref().map(|photos| self.photos.bind(device, photos));
        }
        self.lights.light(frame.settings.environment, device, queue);
        scene.write_overlays(device, queue, &frame.settings);
        self.write_uniforms(scene, device, queue, frame, purpose);
    }

    fn write_uniforms(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frame: &Frame,
        purpose: Purpose,
    ) {
        let numbers = scene
            .splats
            .as_ref()
            .map_or_else(SplatNumbers::default, |part| part.numbers);
        let uniforms = FrameUniforms::new(
            frame,
            &scene.ground(),
            numbers,
            EnvironmentLights::NUM_LEVELS,
            purpose.keeps_straight_alpha,
        );
        let bytes = bytemuck::bytes_of(&uniforms);
        if let Some((buffer, _)) = &scene.uniforms {
            queue.write_buffer(buffer, 0, bytes);
        } else {
            let buffer = gpu::filled_buffer(device, queue, "frame", bytes, wgpu::BufferUsages::UNIFORM);
            let group = gpu::bind_group(device, "frame", &self.frame_layout, &[(0, buffer.as_entire_binding())]);
            scene.uniforms = Some((buffer, group));
        }
    }

    fn record(&self, scene: &Scene, encoder: &mut wgpu::CommandEncoder, frame: &Frame) {
        self.record_solid(scene, encoder, frame);
        self.record_splats(scene, encoder, frame);
        let (Some(targets), Some((_, frame_group))) = (&scene.targets, &scene.uniforms) else {
            return;
        };
        let mut pass = color_pass(encoder, "composite", &targets.picture, None, wgpu::Color::TRANSPARENT);
        pass.set_bind_group(0, frame_group, &[]);
        self.composite.draw(&mut pass, &targets.composite_group);
    }

    fn record_solid(&self, scene: &Scene, encoder: &mut wgpu::CommandEncoder, frame: &Frame) {
        let settings = &frame.settings;
        let (Some(targets), Some((_, frame_group))) = (&scene.targets, &scene.uniforms) else {
            return;
        };
        let mesh = scene.mesh(settings);
        let mesh = mesh.and_then(|mesh| mesh.groups.as_ref().map(|groups| (mesh, groups)));
        let Some(light) = self.lights.made(settings.environment) else {
            return;
        };
        let mut pass = solid_pass(encoder, targets);
        pass.set_bind_group(0, frame_group, &[]);
        if let Some((mesh, groups)) = mesh.filter(|(mesh, _)| !mesh.is_blended) {
            self.mesh.draw(&mut pass, mesh, &groups.material, light);
        }
        if let Some(group) = scene.cameras.as_ref().and_then(|part| part.group.as_ref()) {
            self.photos.draw(&mut pass, group, &scene.photos);
        }
        self.lines.draw(&mut pass, &scene.lines);
        let has_ground = settings.grid || settings.axes || settings.shadow && scene.shadow().is_some();
        if let Some(group) = scene.ground_group.as_ref().filter(|_| has_ground) {
            self.ground.draw(&mut pass, group);
        }
        if let Some((mesh, groups)) = mesh.filter(|(mesh, _)| mesh.is_blended) {
            self.mesh.draw(&mut pass, mesh, &groups.material, light);
        }
        if let Some((mesh, groups)) = mesh.filter(|_| settings.wireframe) {
            self.wireframe.draw(&mut pass, mesh, &groups.wireframe);
        }
    }

    fn record_splats(&self, scene: &Scene, encoder: &mut wgpu::CommandEncoder, frame: &Frame) {
        let (Some(targets), Some((_, frame_group))) = (&scene.targets, &scene.uniforms) else {
            return;
        };
        let splats = scene.splats.as_ref().filter(|_| frame.settings.shows.has_splats());
        let splats = splats.and_then(|part| part.groups.as_ref().map(|groups| (groups, part.numbers.count)));
        if let Some((groups, count)) = splats {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("splat projection"),
                timestamp_writes: None,
            });
            pass.set_bind_group(0, frame_group, &[]);
            self.splats.project(&mut pass, groups, count);
            drop(pass);
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("depth resolve"),
                depth_stencil_attachment: Some(depth_attachment(&targets.depth, wgpu::LoadOp::Clear(0.0))),
                ..wgpu::RenderPassDescriptor::default()
            });
            self.depth_resolve.draw(&mut pass, &targets.depth_group);
        }
        let depth = splats.map(|_| &targets.depth);
        let mut pass = color_pass(encoder, "splats", &targets.splats, depth, wgpu::Color::TRANSPARENT);
        if let Some((groups, count)) = splats {
            pass.set_bind_group(0, frame_group, &[]);
            self.splats.draw(&mut pass, groups, count);
        }
    }
}

fn solid_pass<'a>(encoder: &'a mut wgpu::CommandEncoder, targets: &Targets) -> wgpu::RenderPass<'a> {
    encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some("solid layer"),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: &targets.solid_samples,
            depth_slice: None,
            resolve_target: Some(&targets.solid),
            ops: wgpu::Operations {
                load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                store: wgpu::StoreOp::Discard,
            },
        })],
        depth_stencil_attachment: Some(depth_attachment(&targets.solid_depth, wgpu::LoadOp::Clear(0.0))),
        ..wgpu::RenderPassDescriptor::default()
    })
}
