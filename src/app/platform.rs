//! What differs from desktop to desktop.

use std::sync::Arc;

use egui_wgpu::{RenderState, WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew, wgpu};

/// How the graphics device is opened: with the same limits and features as off-screen rendering and the tests.
pub fn wgpu_setup() -> WgpuSetup {
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    setup.instance_descriptor.flags = bozzetto_viewport::instance_flags();
    setup.power_preference = wgpu::PowerPreference::HighPerformance;
    setup.device_descriptor = Arc::new(bozzetto_viewport::device_descriptor);
    WgpuSetup::CreateNew(setup)
}

/// eframe's configuration with [`wgpu_setup`].
pub fn wgpu_configuration() -> WgpuConfiguration {
    WgpuConfiguration {
        wgpu_setup: wgpu_setup(),
        ..WgpuConfiguration::default()
    }
}

/// Whether the processor stands in for a graphics card.
pub fn draws_in_software(render_state: &RenderState) -> bool {
    render_state.adapter.get_info().device_type == wgpu::DeviceType::Cpu
}

/// Lets the window go before the calling thread, and before threads that it starts, wherever both want the processor.
pub fn yield_to_window() {
    // It is a courtesy: a system that refuses it, or knows no priority of threads, works as well.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(10);
}

/// Makes the threads that geometry is computed on yield to the window. To be called before anything is computed.
pub fn let_work_yield() {
    let pool = rayon::ThreadPoolBuilder::new()
        .thread_name(|index| format!("work {index}"))
        .start_handler(|_| yield_to_window());
    if let Err(error) = pool.build_global() {
        tracing::debug!("the threads are there already: {error}");
    }
}

/// What all threads of this program have computed so far, to a hundredth of a second; `None` where the system does not tell.
pub fn processor_time() -> Option<std::time::Duration> {
    // On Linux, fields 14 and 15 of proc_pid_stat(5), user and system time in ticks of 10 ms; the second field is a name
    // in brackets that may hold spaces.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(std::time::Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

/// The window system that will be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowSystem {
    /// X11, or `XWayland` inside a Wayland desktop.
    X11,
    /// Native Wayland: files cannot be dropped.
    Wayland,
    /// Windows or macOS.
    Other,
}

impl WindowSystem {
    /// What this desktop offers. winit delivers dropped files on X11 only, so that X11 goes first where both are there.
    pub fn detect() -> Self {
        if !cfg!(target_os = "linux") {
            return Self::Other;
        }
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let has_wayland = variable("WAYLAND_DISPLAY")
            .or_else(|| variable("WAYLAND_SOCKET"))
            .is_some();
        let display = variable("DISPLAY");
        Self::choose(
            has_wayland,
            display
                .as_deref()
                .is_some_and(|display| !has_wayland || x11_answers(display)),
        )
    }

    fn choose(has_wayland: bool, has_x11: bool) -> Self {
        if has_wayland && !has_x11 {
            Self::Wayland
        } else {
            Self::X11
        }
    }

    /// Why files cannot be dropped and what to do instead; `None` where they can.
    pub fn drop_obstacle(self) -> Option<String> {
        (self == Self::Wayland).then(|| {
            "This desktop cannot hand dropped files to the program. Use 'Add pictures…' or paste them.".to_owned()
        })
    }
}

/// Whether a local X server listens at a display such as `:0`. Remote displays are taken at their word.
fn x11_answers(display: &str) -> bool {
    let Some(number) = local_display_number(display) else {
        return true;
    };
    std::path::Path::new(&format!("/tmp/.X11-unix/X{number}")).exists()
}

fn local_display_number(display: &str) -> Option<u32> {
    let rest = display.strip_prefix("unix:").or_else(|| display.strip_prefix(':'))?;
    rest.split('.').next()?.parse().ok()
}

/// Makes the window start on the given system.
#[cfg(target_os = "linux")]
pub fn event_loop_hook(system: WindowSystem) -> Option<eframe::EventLoopBuilderHook> {
    use winit::platform::x11::EventLoopBuilderExtX11 as _;
    (system == WindowSystem::X11).then(|| -> eframe::EventLoopBuilderHook {
        Box::new(|builder| {
            builder.with_x11();
        })
    })
}

/// Makes the window start on the given system.
#[cfg(not(target_os = "linux"))]
pub fn event_loop_hook(_: WindowSystem) -> Option<eframe::EventLoopBuilderHook> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x11_goes_first_and_wayland_alone_says_that_files_cannot_be_dropped() {
        assert_eq!(WindowSystem::choose(true, true), WindowSystem::X11);
        assert_eq!(WindowSystem::choose(false, true), WindowSystem::X11);
        assert_eq!(WindowSystem::choose(true, false), WindowSystem::Wayland);
        assert!(WindowSystem::Wayland.drop_obstacle().is_some());
        assert!(WindowSystem::X11.drop_obstacle().is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn computing_takes_processor_time() {
        let before = processor_time().expect("known");
        let began = std::time::Instant::now();
        while began.elapsed() < std::time::Duration::from_millis(60) {
            std::hint::black_box(began.elapsed());
        }
        assert!(processor_time().expect("known") > before);
    }

    #[test]
    fn display_names_are_understood() {
        assert_eq!(local_display_number(":77"), Some(77));
        assert_eq!(local_display_number(":1.0"), Some(1));
        assert_eq!(local_display_number("unix:3"), Some(3));
        assert_eq!(local_display_number("host:0"), None);
    }
}
