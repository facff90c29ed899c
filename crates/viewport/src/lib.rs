//! wgpu: splats, PBR mesh, overlays, camera, off-screen rendering.
//!
//! How a frame is made, from bottom to top:
//!
//! 1. Solid layer: mesh, camera frusta, axes, ground grid and shadow, multisampled, linear light. The mesh is tone
//!    mapped as it is shaded, so that edges are averaged after tone mapping and stay smooth beside bright highlights,
//!    and so that overlays and unlit modes keep their exact colours.
//! 2. Splat layer: splats back to front, blended in sRGB-encoded values as every 3DGS trainer does, tested against the
//!    solid layer's depth.
//! 3. Composite: background, solid layer (encoded), splat layer, into one 8-bit picture with premultiplied alpha. The
//!    window copies that picture into its own pass; a still frame draws nothing else.
//!
//! [`Renderer`] holds what never changes (pipelines), [`Scene`] what is looked at (buffers, textures, targets).
//! Nothing here knows of the window.

mod bounds;
mod device;
mod draw;
mod error;
mod frame_uniforms;
mod gpu;
mod ground_shadow;
mod growing;
mod measure;
mod offscreen;
mod orbit_camera;
mod packing;
mod read_back;
mod recorder;
mod renderer;
mod scene;
mod settings;
mod splat_buffers;
mod splat_order;
mod splat_overflow;
mod splat_renderer;
mod splat_tier;
mod targets;
mod tile_frame;

pub use bounds::Bounds;
pub use device::{device_descriptor, instance_flags};
pub use error::GpuError;
pub use measure::{SplatFigures, StepFigures};
pub use offscreen::Offscreen;
pub use orbit_camera::OrbitCamera;
pub use renderer::{Prepared, Renderer, RendererOptions};
pub use scene::Scene;
pub use settings::{Background, Frame, RenderSettings, Shading, Shows};
pub use splat_tier::SplatTier;
