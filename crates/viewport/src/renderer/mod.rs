mod measured;
mod ready;
mod record;

use std::collections::HashMap;
use std::sync::{Mutex, Weak};

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
use crate::draw::radix_sort::RadixSort;
use crate::draw::voxels::VoxelsDraw;
use crate::draw::wireframe::WireframeDraw;
use crate::error::{DeviceWatch, caught};
use crate::news::is_news;
use crate::picture::Drawn;
use crate::read_back::{read_back, wait};
use crate::recorder::{Recorder, Stage};
use crate::region::Region;
use crate::scene::splat_part::SplatPart;
use crate::splat_renderer::SplatRenderer;
use crate::targets::{Layers, color_attachment};
use crate::{Environment, Frame, GpuError, OrbitCamera, Picture, RenderSettings, Scene, SplatTier, gpu, splat_tier};

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

/// The pipelines. Made once a device, shared by every scene and picture on it; never changes.
pub struct Renderer {
    watch: DeviceWatch,
    target_format: wgpu::TextureFormat,
    frame_layout: wgpu::BindGroupLayout,
    lights: EnvironmentLights,
    mesh: MeshDraw,
    wireframe: WireframeDraw,
    voxels: VoxelsDraw,
    lines: LinesDraw,
    photos: PhotosDraw,
    ground: GroundDraw,
    splats: SplatRenderer,
    /// The faster tier by number of splats (`splat_tier::size_class`), as far as measured.
    tiers: Mutex<HashMap<u32, SplatTier>>,
    /// Those that were made last, for other pictures of their size.
    last_layers: Mutex<Weak<Layers>>,
    depth_resolve: DepthResolveDraw,
    composite: CompositeDraw,
    present: PresentDraw,
    mips: MipsDraw,
}

/// A frame, how much of it, and what for: when splats get sorted, and how alpha is stored.
#[derive(Clone, Copy)]
struct Task<'a> {
    frame: &'a Frame,
    region: Region,
    waits_for_order: bool,
    keeps_straight_alpha: bool,
}

impl Renderer {
    /// Builds every pipeline. `target_format` is that of the pass given to [`Self::blit`] (not an sRGB format: encoded
    /// values are written). Takes over the device's handlers for uncaught errors and loss.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, target_format: wgpu::TextureFormat) -> Self {
        let watch = DeviceWatch::on(device);
        Self::with_options(device, queue, target_format, RendererOptions::default(), watch)
    }

    /// [`Self::new`] with other options, on a device that is watched already.
    pub fn with_options(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        target_format: wgpu::TextureFormat,
        options: RendererOptions,
        watch: DeviceWatch,
    ) -> Self {
        if splat_tier::prefers_processor(device) {
            let reason = if splat_tier::sorts_on_device(device) {
                "is a software driver"
            } else {
                "lacks compute limits that sorting splats needs"
            };
            let sentence = format!("{} {reason}: the processor sorts splats", device.adapter_info().name);
            if is_news(&sentence) {
                tracing::info!("{sentence}");
            }
        }
        let frame_layout = gpu::layout(device, "frame", &[gpu::uniform_entry(0)]);
        let lights = EnvironmentLights::new(device);
        // The usual light is there before the first frame.
        lights.make(Environment::default(), device, queue);
        Self {
            watch,
            target_format,
            mesh: MeshDraw::new(device, &frame_layout, &lights),
            wireframe: WireframeDraw::new(device, &frame_layout),
            voxels: VoxelsDraw::new(device, queue, &frame_layout, &lights),
            lines: LinesDraw::new(device, &frame_layout),
            photos: PhotosDraw::new(device, &frame_layout),
            ground: GroundDraw::new(device, &frame_layout),
            splats: SplatRenderer::new(device, &frame_layout, options),
            tiers: Mutex::default(),
            last_layers: Mutex::default(),
            depth_resolve: DepthResolveDraw::new(device),
            composite: CompositeDraw::new(device, &frame_layout),
            present: PresentDraw::new(device, target_format),
            mips: MipsDraw::new(device),
            lights,
            frame_layout,
        }
    }

    /// Draws a first frame of nothing, and presents it: drivers put off part of their work until then, which would hold up
    /// the window. Waits for the device: call it where the renderer is made.
    pub fn warm_up(&self, device: &wgpu::Device, queue: &wgpu::Queue) -> Result<(), GpuError> {
        const SIDE_PX: u32 = 16;
        let frame = Frame {
            camera: OrbitCamera::default().camera(1.0),
            size_px: [SIDE_PX; 2],
            settings: RenderSettings::default(),
        };
        let (mut scene, mut picture) = (Scene::new(), Picture::new());
        self.render_image(&mut scene, &mut picture, device, queue, &frame)?;
        let window = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("first frame"),
            size: wgpu::Extent3d {
                width: SIDE_PX,
                height: SIDE_PX,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: self.target_format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("first frame"),
        });
        let view = window.create_view(&wgpu::TextureViewDescriptor::default());
        let color = color_attachment(&view, wgpu::Color::TRANSPARENT);
        let mut recorder = Recorder::silent(&mut encoder);
        self.blit(&picture, &mut recorder.render_pass(Stage::Composite, color, None));
        queue.submit([encoder.finish()]);
        wait(device)
    }

    /// Draws the scene into the picture, unless camera, size, settings and content are those of the frame there.
    ///
    /// Where the processor sorts splats, a thread does it: while the camera moves they are drawn in the newest order
    /// there is, and the scene's wake call asks for one more frame. Device faults come back as an error once. A size of
    /// zero draws nothing.
    pub fn prepare(
        &self,
        scene: &mut Scene,
        picture: &mut Picture,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        frame: &Frame,
    ) -> Result<Prepared, GpuError> {
        let task = Task {
            frame,
            region: Region::whole(frame.size_px),
            waits_for_order: false,
            keeps_straight_alpha: false,
        };
        let mut recorder = Recorder::silent(encoder);
        let prepared = self.prepare_task(task, scene, picture, device, queue, &mut recorder);
        if let Some(part) = &scene.splats {
            part.overflow.ask(device);
            if picture.tiles.is_some() && part.is_too_much_for_tiles() {
                self.remember_overflow(part.numbers.count);
            }
        }
        prepared
    }

    /// Copies the picture into a pass with `target_format`, filling its viewport, blended over what is there. A picture of
    /// another size than the viewport is stretched, so that a slow computer may draw fewer pixels.
    pub fn blit(&self, picture: &Picture, pass: &mut wgpu::RenderPass<'_>) {
        if let Some(targets) = &picture.targets {
            self.present.draw(pass, &targets.present_group);
        }
    }

    /// Draws the scene with splats sorted for exactly this camera and reads it back: straight alpha, sRGB-encoded.
    pub fn render_image(
        &self,
        scene: &mut Scene,
        picture: &mut Picture,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frame: &Frame,
    ) -> Result<RgbaImage, GpuError> {
        self.render_region(scene, picture, device, queue, frame, Region::whole(frame.size_px))
    }

    /// [`Self::render_image`] of a part of the picture.
    pub(crate) fn render_region(
        &self,
        scene: &mut Scene,
        picture: &mut Picture,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frame: &Frame,
        region: Region,
    ) -> Result<RgbaImage, GpuError> {
        let [width, height] = region.size_px;
        if width == 0 || height == 0 {
            return Ok(RgbaImage::new(width, height));
        }
        let task = Task {
            frame,
            region,
            waits_for_order: true,
            keeps_straight_alpha: true,
        };
        let mut image = self.draw_image(task, scene, picture, device, queue)?;
        let tiled = scene.splats.as_ref().filter(|_| picture.tiles.is_some());
        if tiled.is_some_and(SplatPart::is_too_much_for_tiles) {
            // As only the finished frame tells: this draws quads.
            image = self.draw_image(task, scene, picture, device, queue)?;
        }
        Ok(image)
    }

    fn draw_image(
        &self,
        task: Task<'_>,
        scene: &mut Scene,
        picture: &mut Picture,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
    ) -> Result<RgbaImage, GpuError> {
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("picture") });
        let mut recorder = Recorder::silent(&mut encoder);
        self.prepare_task(task, scene, picture, device, queue, &mut recorder)?;
        let Some(targets) = &picture.targets else {
            return Ok(RgbaImage::new(task.region.size_px[0], task.region.size_px[1]));
        };
        let image = read_back(device, queue, encoder, &targets.picture_texture);
        self.watch.take_fault().map_or(image, Err)
    }

    pub(crate) fn radix_sort(&self) -> Option<&RadixSort> {
        self.splats.radix_sort()
    }

    /// Tells of the device's faults and of its loss.
    pub fn watch(&self) -> &DeviceWatch {
        &self.watch
    }

    fn prepare_task(
        &self,
        task: Task<'_>,
        scene: &mut Scene,
        picture: &mut Picture,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        recorder: &mut Recorder<'_>,
    ) -> Result<Prepared, GpuError> {
        let frame = task.frame;
        if let Some(fault) = self.watch.take_fault() {
            picture.drawn = None;
            return Err(fault);
        }
        if task.region.size_px.contains(&0) || self.watch.is_lost() {
            return Ok(Prepared::Reused);
        }
        gpu::check_texture(device, "The picture", task.region.size_px)?;
        let tier = self.tier(scene, device, task);
        if let (Some(splats), Some(tier)) = (&mut scene.splats, tier) {
            if tier != SplatTier::ProcessorSorted {
                splats.forget_order();
            } else if splats.update_order(queue, frame.camera.forward(), task.waits_for_order) {
                scene.mark_changed();
            }
        }
        let drawn = Drawn {
            tier,
            frame: frame.clone(),
            region: task.region,
            version: scene.version,
            keeps_straight_alpha: task.keeps_straight_alpha,
        };
        if picture.drawn.as_ref() == Some(&drawn) {
            return Ok(Prepared::Reused);
        }
        picture.drawn = None;
        caught(device, || {
            self.make_ready(scene, picture, device, queue, recorder.encoder, &drawn);
            self.record(scene, picture, recorder, &drawn);
            if let (Some(SplatTier::Tiles), Some(part)) = (drawn.tier, &scene.splats) {
                self.splats.watch(part, device, recorder.encoder);
            }
        })?;
        picture.drawn = Some(drawn);
        Ok(Prepared::Drew)
    }

    /// How this frame's splats are drawn; `None` when there are none to draw.
    fn tier(&self, scene: &Scene, device: &wgpu::Device, task: Task<'_>) -> Option<SplatTier> {
        let settings = &task.frame.settings;
        let part = scene.splats.as_ref().filter(|_| settings.shows.has_splats())?;
        Some(self.splats.tier(device, part, task.region.size_px, settings.splat_tier))
    }
}
