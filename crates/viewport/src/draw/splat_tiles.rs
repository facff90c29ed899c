use super::shared::TILES_ARGS;
use crate::gpu::{self, Bound};

/// Draws a batch of splats, a workgroup a tile.
pub struct SplatTilesDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
}

/// What [`SplatTilesDraw`] reads and writes.
pub struct TileBindings<'a> {
    pub grid: &'a wgpu::Buffer,
    pub ellipses: &'a wgpu::Buffer,
    pub pair_splats: &'a wgpu::Buffer,
    pub ranges: &'a wgpu::Buffer,
    pub pixels: &'a wgpu::Buffer,
    pub closed_tiles: &'a wgpu::Buffer,
    pub control: &'a wgpu::Buffer,
    pub solid_depth: &'a wgpu::TextureView,
}

impl SplatTilesDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        use Bound::{Depth, Read, Uniform, Write};
        let bounds = [Uniform, Read, Read, Write, Write, Write, Write, Depth];
        let layout = gpu::compute_layout(device, "splat tiles", &bounds);
        let module = gpu::shader(device, "splat tiles", &Self::source());
        let pipeline = gpu::compute_pipeline(device, "splat tiles", &[&layout], &module, "draw_tile");
        Self { layout, pipeline }
    }

    pub fn source() -> String {
        concat!(
            include_str!("tile_grid.wgsl"),
            include_str!("ellipse.wgsl"),
            include_str!("tile_pixels.wgsl"),
            include_str!("splat_tiles.wgsl")
        )
        .to_owned()
    }

    pub fn bind(&self, device: &wgpu::Device, bindings: &TileBindings<'_>) -> wgpu::BindGroup {
        let resources = [
            (0, bindings.grid.as_entire_binding()),
            (1, bindings.ellipses.as_entire_binding()),
            (2, bindings.pair_splats.as_entire_binding()),
            (3, bindings.ranges.as_entire_binding()),
            (4, bindings.pixels.as_entire_binding()),
            (5, bindings.closed_tiles.as_entire_binding()),
            (6, bindings.control.as_entire_binding()),
            (7, wgpu::BindingResource::TextureView(bindings.solid_depth)),
        ];
        gpu::bind_group(device, "splat tiles", &self.layout, &resources)
    }

    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup, args: &wgpu::Buffer) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.dispatch_workgroups_indirect(args, u64::from(TILES_ARGS) * 4);
    }
}
