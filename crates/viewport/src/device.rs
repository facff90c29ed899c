use wgpu::Features;

/// Features that make drawing faster or measurable where the adapter has them; none is needed.
const WANTED_FEATURES: Features = Features::TIMESTAMP_QUERY.union(Features::SUBGROUP);

/// How to ask an adapter for a device: its own limits, and the wanted features that it has.
///
/// The window, tests and off-screen rendering all ask with this, so that they meet the same limits.
pub fn device_descriptor(adapter: &wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> {
    wgpu::DeviceDescriptor {
        label: Some("bozzetto"),
        required_features: WANTED_FEATURES & adapter.features(),
        required_limits: adapter.limits(),
        ..wgpu::DeviceDescriptor::default()
    }
}
