//! Keeps egui from drawing on a device that is gone: its renderer panics when buffers cannot be had any more.

use std::sync::Arc;

use bozzetto_viewport::DeviceWatch;
use egui::FullOutput;
use parking_lot::Mutex;

/// Where the watch is put once there is one.
pub type WatchSlot = Arc<Mutex<Option<DeviceWatch>>>;

/// Lets nothing through to be drawn from the moment the device is lost.
pub struct LostDevicePlugin(pub WatchSlot);

impl egui::Plugin for LostDevicePlugin {
    fn debug_name(&self) -> &'static str {
        "lost device"
    }

    fn output_hook(&mut self, _: &egui::Context, output: &mut FullOutput) {
        if self.0.lock().as_ref().is_some_and(DeviceWatch::is_lost) {
            output.shapes.clear();
            output.textures_delta.clear();
        }
    }
}
