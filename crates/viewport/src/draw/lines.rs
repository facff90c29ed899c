use bozzetto_asset::{Camera, Projection};
use glam::{Vec3, Vec4};

use crate::gpu::{self, PipelineSpec};
use crate::growing::GrowingBuffer;

const FRUSTUM_COLOR: Vec3 = Vec3::new(0.80, 0.50, 0.16);
const FRUSTUM_WIDTH_PX: f32 = 1.4;
const OPEN_EDGE_COLOR: Vec3 = Vec3::new(0.90, 0.03, 0.03);
const CROWDED_EDGE_COLOR: Vec3 = Vec3::new(0.95, 0.66, 0.03);
const FLAW_WIDTH_PX: f32 = 2.6;
const AXIS_Y_COLOR: Vec3 = Vec3::new(0.16, 0.42, 0.06);
const AXIS_WIDTH_PX: f32 = 1.4;

/// A straight line; `Line` in lines.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Line {
    start: Vec4,
    end: Vec4,
    start_color: Vec4,
    end_color: Vec4,
}

impl Line {
    fn plain(start: Vec3, end: Vec3, width_px: f32, color: Vec4) -> Self {
        Self {
            start: start.extend(width_px),
            end: end.extend(width_px),
            start_color: color,
            end_color: color,
        }
    }

    /// An edge with one face.
    pub fn open_edge([start, end]: [Vec3; 2]) -> Self {
        Self::plain(start, end, FLAW_WIDTH_PX, OPEN_EDGE_COLOR.extend(1.0))
    }

    /// An edge with three faces or more.
    pub fn crowded_edge([start, end]: [Vec3; 2]) -> Self {
        Self::plain(start, end, FLAW_WIDTH_PX, CROWDED_EDGE_COLOR.extend(1.0))
    }

    /// The upward axis from a foot on the ground, fading out.
    pub fn up_axis(foot: Vec3, length: f32) -> Self {
        Self {
            start: foot.extend(AXIS_WIDTH_PX),
            end: (foot + Vec3::Y * length).extend(AXIS_WIDTH_PX),
            start_color: AXIS_Y_COLOR.extend(0.9),
            end_color: AXIS_Y_COLOR.extend(0.0),
        }
    }
}

/// Lines of a frustum with a small mark on its upper side.
pub fn frustum(camera: &Camera, size: f32, lines: &mut Vec<Line>) {
    let color = FRUSTUM_COLOR.extend(0.95);
    let far = camera.picture_corners(size);
    let near = match camera.projection {
        Projection::Perspective { .. } => [camera.eye(); 4],
        Projection::Orthographic { .. } => camera.picture_corners(0.0),
    };
    let mut add = |start, end| lines.push(Line::plain(start, end, FRUSTUM_WIDTH_PX, color));
    for corner in 0..4 {
        add(far[corner], far[(corner + 1) % 4]);
        add(near[corner], far[corner]);
        if near[corner] != near[(corner + 1) % 4] {
            add(near[corner], near[(corner + 1) % 4]);
        }
    }
    let (left, right) = (far[0].lerp(far[1], 0.35), far[0].lerp(far[1], 0.65));
    let tip = far[0].lerp(far[1], 0.5) + (far[0] - far[3]) * 0.14;
    add(left, tip);
    add(tip, right);
}

/// Draws lines of constant width.
pub struct LinesDraw {
    pipeline: wgpu::RenderPipeline,
}

impl LinesDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        let module = gpu::shader(device, "lines", &gpu::with_frame(include_str!("lines.wgsl")));
        let attributes = wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4, 2 => Float32x4, 3 => Float32x4];
        let pipeline = PipelineSpec {
            layouts: &[frame_layout],
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            buffers: &[Some(wgpu::VertexBufferLayout {
                array_stride: size_of::<Line>() as u64,
                step_mode: wgpu::VertexStepMode::Instance,
                attributes: &attributes,
            })],
            ..PipelineSpec::solid("lines", &module, ["line_vertex", "line_fragment"])
        }
        .build(device);
        Self { pipeline }
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, lines: &GrowingBuffer) {
        if let Some(buffer) = lines.buffer() {
            pass.set_pipeline(&self.pipeline);
            pass.set_vertex_buffer(0, buffer.slice(..));
            pass.draw(0..4, 0..lines.len());
        }
    }
}
