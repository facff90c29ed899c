use std::collections::HashSet;
use std::sync::Arc;

use egui::epaint::textures::TexturesDelta;
use egui::epaint::{ClippedPrimitive, ClippedShape, PaintCallback, PaintCallbackInfo};
use egui::mutex::RwLock;
use egui::{Rect, TextureId};
use egui_wgpu::{CallbackResources, CallbackTrait, RenderState, Renderer, RendererOptions, ScreenDescriptor, wgpu};
use parking_lot::Mutex;

/// A frame: what is compared to find out what changed.
pub struct Frame {
    pub shapes: Vec<ClippedShape>,
    pub layout: Layout,
}

/// What a frame's pixels depend on besides its shapes.
#[derive(Clone, Copy, PartialEq)]
pub struct Layout {
    pub screen: Rect,
    pub pixels_per_point: f32,
    pub ground: egui::Color32,
}

impl Layout {
    fn size_px(&self) -> [u32; 2] {
        let size = self.screen.size() * self.pixels_per_point;
        [size.x.round() as u32, size.y.round() as u32]
    }
}

/// A texture as large as the window, and the renderer that draws into it.
pub struct KeptPicture {
    render_state: RenderState,
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
    target: Option<Target>,
    drawn: Option<Frame>,
    /// Where the picture is older than that frame.
    stale: Vec<Rect>,
    /// The newest frame that is not drawn yet, and what of it differs from the drawn one. Frames can be made without
    /// being drawn: while the window is covered, say.
    waiting: Option<Waiting>,
    /// Textures that changed since the drawn frame.
    textures: TexturesDelta,
    known_textures: HashSet<TextureId>,
}

struct Waiting {
    frame: Frame,
    changed: Vec<ClippedPrimitive>,
    stale: Vec<Rect>,
}

struct Target {
    view: wgpu::TextureView,
    group: wgpu::BindGroup,
    size_px: [u32; 2],
}

impl KeptPicture {
    pub fn new(window: &RenderState) -> Self {
        let device = &window.device;
        let renderer = Renderer::new(
            device,
            window.target_format,
            RendererOptions {
                // Costs the processor more than it shows: the window has hardly a gradient.
                dithering: false,
                ..RendererOptions::default()
            },
        );
        let render_state = RenderState {
            renderer: Arc::new(RwLock::new(renderer)),
            ..window.clone()
        };
        let module = device.create_shader_module(wgpu::include_wgsl!("copy.wgsl"));
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("kept picture"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::FRAGMENT,
                ty: wgpu::BindingType::Texture {
                    sample_type: wgpu::TextureSampleType::Float { filterable: false },
                    view_dimension: wgpu::TextureViewDimension::D2,
                    multisampled: false,
                },
                count: None,
            }],
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("kept picture"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("kept picture"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("copy_vertex"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("copy_fragment"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(window.target_format.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        Self {
            render_state,
            layout,
            pipeline,
            target: None,
            drawn: None,
            stale: Vec::new(),
            waiting: None,
            textures: TexturesDelta::default(),
            known_textures: HashSet::new(),
        }
    }

    /// The window's device with the renderer that draws the picture.
    pub fn render_state(&self) -> RenderState {
        self.render_state.clone()
    }

    /// Adds to the textures that the next frame is drawn with.
    pub fn add_textures(&mut self, newer: TexturesDelta) {
        self.textures.append(newer);
    }

    /// The frame on the picture and where the picture is older than it, if shapes of another frame can be compared with it.
    pub fn drawn_frame(&self, layout: Layout) -> Option<(&Frame, &[Rect])> {
        let has_replaced = self.textures.set.iter().any(|(id, deltas)| {
            // The text's texture grows in place: what was on it stays where it is.
            let grows = *id == TextureId::default() && deltas.iter().all(|delta| !delta.is_whole());
            self.known_textures.contains(id) && !grows
        });
        let drawn = self.drawn.as_ref()?;
        (drawn.layout == layout && !has_replaced).then_some((drawn, &self.stale[..]))
    }

    /// Whether there is a picture of this size.
    pub fn is_there(&self, layout: Layout) -> bool {
        self.target
            .as_ref()
            .is_some_and(|target| target.size_px == layout.size_px())
    }

    /// Replaces what waits to be drawn: a frame, what of it differs from [`Self::drawn_frame`], and where the picture will
    /// be older than the frame all the same.
    pub fn set_next(&mut self, frame: Frame, changed: Vec<ClippedPrimitive>, stale: Vec<Rect>) {
        self.waiting = Some(Waiting { frame, changed, stale });
    }

    fn draw_next(&mut self, encoder: &mut wgpu::CommandEncoder) -> Vec<wgpu::CommandBuffer> {
        let RenderState {
            device,
            queue,
            renderer,
            ..
        } = &self.render_state;
        let mut renderer = renderer.write();
        self.known_textures.extend(self.textures.set.keys());
        for (id, deltas) in self.textures.set.drain() {
            for delta in deltas {
                renderer.update_texture(device, queue, id, &delta);
            }
        }
        let mut commands = Vec::new();
        if let Some(Waiting { frame, changed, stale }) = self.waiting.take() {
            let screen = ScreenDescriptor {
                size_in_pixels: frame.layout.size_px(),
                pixels_per_point: frame.layout.pixels_per_point,
            };
            if !changed.is_empty() {
                commands = renderer.update_buffers(device, queue, encoder, &changed, &screen);
                let target = match &mut self.target {
                    Some(target) if target.size_px == screen.size_in_pixels => target,
                    outdated => outdated.insert(Target::new(&self.render_state, &self.layout, screen.size_in_pixels)),
                };
                renderer.render(&mut target.pass(encoder), &changed, &screen);
            }
            self.drawn = Some(frame);
            self.stale = stale;
        }
        for id in self.textures.free.drain() {
            renderer.free_texture(&id);
            self.known_textures.remove(&id);
        }
        commands
    }
}

impl Drop for KeptPicture {
    fn drop(&mut self) {
        // egui insists that somebody says so when textures are never drawn with.
        self.textures.clear();
    }
}

impl Target {
    fn new(render_state: &RenderState, layout: &wgpu::BindGroupLayout, size_px: [u32; 2]) -> Self {
        let texture = render_state.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("kept picture"),
            size: wgpu::Extent3d {
                width: size_px[0].max(1),
                height: size_px[1].max(1),
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: render_state.target_format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let group = render_state.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("kept picture"),
            layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::TextureView(&view),
            }],
        });
        Self { view, group, size_px }
    }

    /// Draws over what is there.
    fn pass(&self, encoder: &mut wgpu::CommandEncoder) -> wgpu::RenderPass<'static> {
        let attachment = wgpu::RenderPassColorAttachment {
            view: &self.view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations {
                load: wgpu::LoadOp::Load,
                store: wgpu::StoreOp::Store,
            },
        };
        let pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("kept picture"),
            color_attachments: &[Some(attachment)],
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.forget_lifetime()
    }
}

/// The shape that stands for all others: brings the picture up to date and copies it to the window.
pub fn copy_to_window(screen: Rect, picture: &Arc<Mutex<KeptPicture>>) -> PaintCallback {
    egui_wgpu::Callback::new_paint_callback(screen, CopyToWindow(Arc::clone(picture)))
}

struct CopyToWindow(Arc<Mutex<KeptPicture>>);

impl CallbackTrait for CopyToWindow {
    fn prepare(
        &self,
        _: &wgpu::Device,
        _: &wgpu::Queue,
        _: &ScreenDescriptor,
        encoder: &mut wgpu::CommandEncoder,
        _: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        self.0.lock().draw_next(encoder)
    }

    fn paint(&self, _: PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, _: &CallbackResources) {
        let picture = self.0.lock();
        if let Some(target) = &picture.target {
            pass.set_pipeline(&picture.pipeline);
            pass.set_bind_group(0, &target.group, &[]);
            pass.draw(0..3, 0..1);
        }
    }
}
