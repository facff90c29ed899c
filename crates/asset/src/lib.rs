//! What everything passes around, and its file formats.
//!
//! One frame everywhere: right-handed, +Y up, front +Z, metres; an object fits the cube `[-0.5, 0.5]^3`.
//! It is glTF's frame. File readers and writers convert at the file's border and nowhere else.
//! Colours are linear in memory and sRGB in files. Images are row-major, top row first.

mod asset;
mod camera;
pub mod color;
pub mod files;
pub mod formats;
mod placement;
mod provenance;
mod sparse_structure;
mod splats;
mod texture;
mod tri_mesh;
mod view;
mod volume;

pub use asset::Asset;
pub use camera::{Camera, Projection};
pub use placement::{LengthUnit, Pivot, Placement};
pub use provenance::{FileRecord, Provenance, ViewRecord};
pub use sparse_structure::SparseStructure;
pub use splats::{GaussianSplats, LogScale, SH_C0, SplatFilter, sh_basis};
pub use texture::{AlphaMode, Material, TexturedMesh};
pub use tri_mesh::TriMesh;
pub use view::{Direction, MatteSettings, PreparedView, View};
pub use volume::{PbrSample, PbrVolume};
