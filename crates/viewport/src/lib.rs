//! wgpu: splats, PBR mesh, overlays, camera, off-screen rendering.
//!
//! How a frame is made, from bottom to top:
//!
//! 1. Solid layer: mesh, voxels, camera frusta, axes, ground grid and shadow, multisampled, linear light. The mesh is tone
//!    mapped as it is shaded, so that edges are averaged after tone mapping and stay smooth beside bright highlights,
//!    and so that overlays and unlit modes keep their exact colours.
//! 2. Splat layer: splats in the order of their depth, blended in sRGB-encoded values as every 3DGS trainer does, tested
//!    against the solid layer's depth.
//! 3. Composite: background, solid layer (encoded), splat layer, into one 8-bit picture with premultiplied alpha. The
//!    window copies that picture into its own pass; a still frame draws nothing else. Where nothing solid is seen, or no
//!    splats, their layers are not drawn; splats drawn by tiles have no layer but go straight into the picture.
//!
//! [`Renderer`] holds what never changes (pipelines), [`Scene`] what is looked at (buffers, textures of the asset),
//! [`Picture`] what a frame is drawn into.
//! Nothing here knows of the window. How its pictures compare with those of another glTF viewer stands in
//! `docs/model_viewer.md`, and how its splats compare in `docs/splat_speed.md`.
//!
//! Still pictures may be larger than any texture: [`Still`] draws them region by region and writes them as they come.
//! Live previews replace each other many times a second: a [`ScenePool`] hands the buffers of one on to the next.
//!
//! # One splat from PLY to pixel
//!
//! The file's reader gives a position, a quaternion, logarithms of three standard deviations, an opacity and harmonics
//! (`bozzetto_asset::GaussianSplats`). `packing.rs` makes 32 bytes of the geometry (sizes to 0.02 %) and half floats of
//! the harmonics; `scene/splat_room.rs` holds them in chunks that each fit one binding, so that degree 3 is not what
//! limits their number. Then, every frame that is not the last one again:
//!
//! 1. **Project** (`splat_project.wgsl`): cull, ellipse on the picture, colour for this direction, a key that sorts by
//!    depth. 32 bytes a visible splat.
//! 2. **Compact** (`splat_compact.wgsl`): visible splats move together in the order of their indices, so that equal depths
//!    keep one order for ever. What follows is dispatched indirectly, for as many as there are.
//! 3. **Sort** (`radix_sort.wgsl`): back to front, stable, four passes of eight bits; exactly the order that
//!    `splat_order.rs` gives on the processor, with subgroups or without.
//! 4. **Blend**, by one of two tiers ([`SplatTier`]):
//!    - *Tiles*, front to back. Batch after batch (`splat_batches.wgsl`) splats are matched with the tiles of 16 x 16
//!      pixels that they really touch (`splat_binning.wgsl`), the pairs are sorted by tile (the same sort), and a workgroup
//!      a tile blends its list until its pixels are opaque or the list is behind the solid layer (`splat_tiles.wgsl`).
//!      Opaque tiles get no pairs in later batches: hidden layers cost next to nothing.
//!    - *Quads*, back to front, every one, by the rasteriser (`splat_quads.wgsl`).
//!
//! Which tier is faster is measured where content is uploaded ([`Renderer::choose_splat_tier`]), not guessed from a name:
//! cards with many raster units and scenes with few layers may prefer quads.
//!
//! Limits. Pairs are held for one batch at a time, 128 MiB at most, and a frame has 12 batches; a scene that needs more
//! is drawn as quads from then on, and the log says so once. A pixel of the tiled tier stops at a transmittance of 1/1024,
//! a quarter of an 8-bit step. Ellipses of all splats must fit one binding: 4 M splats with 128 MiB, 6 M with 192 MiB.
//! Devices that lack the compute limits (`splat_tier.rs`), and software drivers, get quads in an order that a thread of
//! the processor sorts: while the camera moves, it may be a frame or two old.

mod animation;
mod bounds;
mod device;
mod draw;
mod error;
mod frame_uniforms;
mod gpu;
mod ground_shadow;
mod growing;
mod measure;
mod news;
mod offscreen;
mod orbit_camera;
mod packing;
mod pick;
mod picture;
#[cfg(test)]
mod preview_tests;
mod read_back;
mod recorder;
mod region;
mod renderer;
mod scene;
mod settings;
mod splat_buffers;
mod splat_order;
mod splat_overflow;
mod splat_renderer;
mod splat_tier;
mod still;
mod targets;
#[cfg(test)]
mod test_ball;
mod tile_frame;
mod turntable;
mod upload;

pub use animation::AnimationFormat;
pub use bounds::Bounds;
pub use device::{device_descriptor, instance_flags};
pub use error::{DeviceWatch, GpuError};
pub use measure::{MeshFigures, SplatFigures, StepFigures};
pub use offscreen::Offscreen;
pub use orbit_camera::OrbitCamera;
pub use pick::first_splat_hit;
pub use picture::Picture;
pub use renderer::{Prepared, Renderer, RendererOptions};
pub use scene::pool::ScenePool;
pub use scene::{Scene, ScenePart};
pub use settings::{Background, Environment, Frame, RenderSettings, Shading, Shows, ToneMapping};
pub use splat_tier::SplatTier;
pub use still::{Still, StillError};
pub use turntable::{Turntable, TurntableError};
