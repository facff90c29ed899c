use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bozzetto_asset::Camera;
use image::RgbaImage;

use crate::draw::composite::CompositeDraw;
use crate::draw::depth_resolve::DepthResolveDraw;
use crate::draw::environment::Environment;
use crate::draw::ground::GroundDraw;
use crate::draw::lines::LinesDraw;
use crate::draw::mesh::MeshDraw;
use crate::draw::mips::MipsDraw;
use crate::draw::photos::PhotosDraw;
use crate::draw::present::PresentDraw;
use crate::draw::radix_sort::RadixSort;
use crate::draw::wireframe::WireframeDraw;
use crate::error::{FaultWatch, caught};
use crate::frame_uniforms::{FrameUniforms, SplatNumbers};
use crate::read_back::{read_back, read_bytes};
use crate::recorder::{Recorder, Stage, StageTimes};
use crate::scene::Drawn;
use crate::scene::mesh_part::MeshGroups;
use crate::scene::splat_part::SplatPart;
use crate::splat_renderer::SplatRenderer;
use crate::targets::{Targets, color_attachment, depth_attachment};
use crate::{Frame, GpuError, RenderSettings, Scene, SplatTier, gpu, splat_tier};

/// What [`Renderer::prepare`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// Drew a new picture.
    Drew,
    /// Nothing had changed: the last picture stands.
    Reused,
}

/// What a renderer is made to do otherwise than it would by itself: for tests and measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RendererOptions {
    /// Use subgroups where the device has them.
    pub subgroups: bool,
    /// Most pairs of tile and splat held at once, in place of what suits the splats.
    pub max_pairs: Option<u32>,
}

impl Default for RendererOptions {
    fn default() -> Self {
        Self {
            subgroups: true,
            max_pairs: None,
        }
    }
}

/// The pipelines. Made once a device, shared by every scene on it; never changes.
pub struct Renderer {
    faults: FaultWatch,
    frame_layout: wgpu::BindGroupLayout,
    environment: Environment,
    mesh: MeshDraw,
    wireframe: WireframeDraw,
    lines: LinesDraw,
    photos: PhotosDraw,
    ground: GroundDraw,
    splats: SplatRenderer,
    /// The faster tier by number of splats (`splat_tier::size_class`), as far as measured.
    tiers: Mutex<HashMap<u32, SplatTier>>,
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
        Self::with_options(device, queue, target_format, RendererOptions::default())
    }

    /// [`Self::new`] for tests and measurements.
    pub fn with_options(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        target_format: wgpu::TextureFormat,
        options: RendererOptions,
    ) -> Self {
        if !splat_tier::sorts_on_device(device) {
            tracing::info!(
                "{} lacks compute limits that sorting splats needs: the processor sorts them",
                device.adapter_info().name
            );
        }
        let faults = FaultWatch::on(device);
        let frame_layout = gpu::layout(device, "frame", &[gpu::uniform_entry(0)]);
        let environment = Environment::new(device, queue);
        Self {
            faults,
            mesh: MeshDraw::new(device, &frame_layout, &environment),
            wireframe: WireframeDraw::new(device, &frame_layout),
            lines: LinesDraw::new(device, &frame_layout),
            photos: PhotosDraw::new(device, &frame_layout),
            ground: GroundDraw::new(device, &frame_layout),
            splats: SplatRenderer::new(device, &frame_layout, options),
            tiers: Mutex::default(),
            depth_resolve: DepthResolveDraw::new(device),
            composite: CompositeDraw::new(device, &frame_layout),
            present: PresentDraw::new(device, target_format),
            mips: MipsDraw::new(device),
            environment,
            frame_layout,
        }
    }

    /// Draws the scene into its own textures, unless camera, size, settings and content are those of the last picture.
    ///
    /// Where the device cannot sort splats, a thread does: while the camera moves they are drawn in the newest order
    /// there is, and the scene's wake call asks for one more frame. Device faults come back as an error once. A size of zero draws
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
        let prepared = self.prepare_for(purpose, scene, device, queue, &mut Recorder::silent(encoder), frame);
        if let Some(part) = &scene.splats {
            part.overflow.ask_again();
        }
        prepared
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
        let mut picture = self.draw_image(scene, device, queue, &frame)?;
        if scene.splats.as_ref().is_some_and(SplatPart::was_cut_short) {
            // Too much for tiles, as only the finished frame tells: this draws quads.
            picture = self.draw_image(scene, device, queue, &frame)?;
        }
        Ok(picture)
    }

    fn draw_image(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frame: &Frame,
    ) -> Result<RgbaImage, GpuError> {
        let purpose = Purpose {
            waits_for_order: true,
            keeps_straight_alpha: true,
        };
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("picture") });
        self.prepare_for(
            purpose,
            scene,
            device,
            queue,
            &mut Recorder::silent(&mut encoder),
            frame,
        )?;
        let Some(targets) = &scene.targets else {
            return Ok(RgbaImage::new(frame.size_px[0], frame.size_px[1]));
        };
        let picture = read_back(device, queue, encoder, &targets.picture_texture);
        self.faults.take().map_or(picture, Err)
    }

    /// Draws a frame even if nothing has changed, waits for it, and tells what its stages took by the device's clock,
    /// if it has one.
    pub(crate) fn timed_frame(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frame: &Frame,
    ) -> Result<Option<StageTimes>, GpuError> {
        let purpose = Purpose {
            waits_for_order: true,
            keeps_straight_alpha: false,
        };
        scene.drawn = None;
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("measurement"),
        });
        let mut recorder = Recorder::timed(device, &mut encoder);
        self.prepare_for(purpose, scene, device, queue, &mut recorder, frame)?;
        let timestamps = recorder.resolve(device, queue);
        queue.submit([encoder.finish()]);
        let Some(timestamps) = timestamps else {
            device
                .poll(wgpu::PollType::wait_indefinitely())
                .map_err(|error| GpuError::ReadBack {
                    reason: error.to_string(),
                })?;
            return Ok(None);
        };
        let bytes = read_bytes(device, timestamps.buffer())?;
        Ok(Some(timestamps.times(&bytes)))
    }

    /// Finds out by drawing which tier is faster for the scene's splats, unless splats like them were measured before.
    ///
    /// Takes a few frames' time and waits for the device: call it where content is uploaded, never where a window is
    /// drawn.
    pub fn choose_splat_tier(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
    ) -> Result<(), GpuError> {
        let Some(part) = &scene.splats else { return Ok(()) };
        let (bounds, num_splats) = (part.bounds, part.numbers.count);
        let class = splat_tier::size_class(num_splats).filter(|_| splat_tier::sorts_on_device(device));
        let Some(class) = class else { return Ok(()) };
        let known = self.tiers().get(&class).copied();
        let tier = if let Some(tier) = known {
            tier
        } else {
            let tier = splat_tier::measure(self, scene, device, queue, bounds)?;
            // The measured pictures go: the window has another size.
            scene.forget_picture();
            tracing::info!("{num_splats} splats are drawn as {tier}: that measured faster");
            self.tiers().insert(class, tier);
            tier
        };
        if let Some(part) = &mut scene.splats {
            part.tier = Some(tier);
        }
        Ok(())
    }

    pub(crate) fn radix_sort(&self) -> Option<&RadixSort> {
        self.splats.radix_sort()
    }

    fn tiers(&self) -> MutexGuard<'_, HashMap<u32, SplatTier>> {
        self.tiers.lock().unwrap_or_else(PoisonError::into_inner)
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
        recorder: &mut Recorder<'_>,
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
            tier: self.tier(scene, device, frame),
            frame: frame.clone(),
            version: scene.version,
            keeps_straight_alpha: purpose.keeps_straight_alpha,
        };
        if scene.drawn.as_ref() == Some(&drawn) {
            return Ok(Prepared::Reused);
        }
        scene.drawn = None;
        caught(device, || {
            self.make_ready(scene, device, queue, recorder.encoder, &drawn);
            self.record(scene, recorder, &drawn);
            if let (Some(SplatTier::Tiles), Some(part)) = (drawn.tier, &scene.splats) {
                part.overflow.watch(device, recorder.encoder, &part.buffers.control);
            }
        })?;
        scene.drawn = Some(drawn);
        Ok(Prepared::Drew)
    }

    /// How this frame's splats are drawn; `None` when there are none to draw.
    fn tier(&self, scene: &Scene, device: &wgpu::Device, frame: &Frame) -> Option<SplatTier> {
        let part = scene.splats.as_ref().filter(|_| frame.settings.shows.has_splats())?;
        Some(self.splats.tier(device, part, frame.size_px, frame.settings.splat_tier))
    }

    /// Makes whatever this frame needs and is not there yet, and writes what changed.
    fn make_ready(
        &self,
        scene: &mut Scene,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        drawn: &Drawn,
    ) {
        let frame = &drawn.frame;
        if scene
            .targets
            .as_ref()
            .is_none_or(|targets| targets.size_px != frame.size_px)
        {
            // The old pictures go first: at 4K both together would be half a gigabyte.
            scene.forget_picture();
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
        if let (Some(part), Some(targets), Some(tier)) = (&mut scene.splats, &scene.targets, drawn.tier) {
            self.splats.make_ready(device, queue, part, targets, tier);
        }
        if let Some(cameras) = &mut scene.cameras
            && cameras.group.is_none()
        {
            cameras.group = cameras.photos.as_ref().map(|photos| self.photos.bind(device, photos));
        }
        scene.write_overlays(device, queue, &frame.settings);
        self.write_uniforms(scene, device, queue, drawn);
    }

    fn write_uniforms(&self, scene: &mut Scene, device: &wgpu::Device, queue: &wgpu::Queue, drawn: &Drawn) {
        let numbers = scene
            .splats
            .as_ref()
            .map_or_else(SplatNumbers::default, |part| part.numbers);
        let uniforms = FrameUniforms::new(
            &drawn.frame,
            &scene.ground(),
            numbers,
            Environment::NUM_LEVELS,
            drawn.keeps_straight_alpha,
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

    fn record(&self, scene: &Scene, recorder: &mut Recorder<'_>, drawn: &Drawn) {
        self.record_solid(scene, recorder, &drawn.frame);
        self.record_splats(scene, recorder, drawn.tier);
        let (Some(targets), Some((_, frame_group))) = (&scene.targets, &scene.uniforms) else {
            return;
        };
        let color = color_attachment(&targets.picture, wgpu::Color::TRANSPARENT);
        let mut pass = recorder.render_pass(Stage::Composite, color, None);
        pass.set_bind_group(0, frame_group, &[]);
        self.composite.draw(&mut pass, &targets.composite_group);
    }

    fn record_solid(&self, scene: &Scene, recorder: &mut Recorder<'_>, frame: &Frame) {
        let settings = &frame.settings;
        let (Some(targets), Some((_, frame_group))) = (&scene.targets, &scene.uniforms) else {
            return;
        };
        let mesh = scene.mesh(settings);
        let mesh = mesh.and_then(|mesh| mesh.groups.as_ref().map(|groups| (mesh, groups)));
        let mut pass = solid_pass(recorder, targets);
        pass.set_bind_group(0, frame_group, &[]);
        if let Some((mesh, groups)) = mesh.filter(|(mesh, _)| !mesh.is_blended) {
            self.mesh.draw(&mut pass, mesh, &groups.material, &self.environment);
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
            self.mesh.draw(&mut pass, mesh, &groups.material, &self.environment);
        }
        if let Some((mesh, groups)) = mesh.filter(|_| settings.wireframe) {
            self.wireframe.draw(&mut pass, mesh, &groups.wireframe);
        }
    }

    fn record_splats(&self, scene: &Scene, recorder: &mut Recorder<'_>, tier: Option<SplatTier>) {
        let (Some(targets), Some((_, frame_group))) = (&scene.targets, &scene.uniforms) else {
            return;
        };
        let (Some(part), Some(tier)) = (&scene.splats, tier) else {
            // The composite reads the layer all the same.
            let color = color_attachment(&targets.splats, wgpu::Color::TRANSPARENT);
            recorder.render_pass(Stage::Raster, color, None);
            return;
        };
        self.splats.record_order(part, recorder, frame_group);
        let mut pass = recorder.encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("depth resolve"),
            depth_stencil_attachment: Some(depth_attachment(&targets.depth, wgpu::LoadOp::Clear(0.0))),
            ..wgpu::RenderPassDescriptor::default()
        });
        self.depth_resolve.draw(&mut pass, &targets.depth_group);
        drop(pass);
        self.splats.record_layer(part, recorder, frame_group, targets, tier);
    }
}

fn solid_pass<'a>(recorder: &'a mut Recorder<'_>, targets: &Targets) -> wgpu::RenderPass<'a> {
    let color = wgpu::RenderPassColorAttachment {
        view: &targets.solid_samples,
        depth_slice: None,
        resolve_target: Some(&targets.solid),
        ops: wgpu::Operations {
            load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
            store: wgpu::StoreOp::Discard,
        },
    };
    let depth = depth_attachment(&targets.solid_depth, wgpu::LoadOp::Clear(0.0));
    recorder.render_pass(Stage::Solid, color, Some(depth))
}
