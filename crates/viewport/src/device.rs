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

/// How to ask for an instance: the environment's settings, except that arguments of indirect calls are not checked.
///
/// The check is a dispatch of its own before each indirect call, of which a frame of splats has some two hundred. All
/// of those arguments are written by our own shaders, which keep them within what every device takes.
pub fn instance_flags() -> wgpu::InstanceFlags {
    wgpu::InstanceFlags::from_env_or_default() - wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL
}
