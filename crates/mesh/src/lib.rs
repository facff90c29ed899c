//! From a raw surface to a clean, textured mesh.
//!
//! A chain of named steps, each timed, cancellable and with progress: weld, clean, orient, split, remove specks, fill
//! holes, remesh if wanted, simplify, unwrap, tangents, bake, dilate. Every step is a function of its own and [`finish`] runs them all;
//! [`make_watertight`] runs those that mend, and promises a closed surface. [`MeshHealth`] says what is broken.
//! All are deterministic: same input, same bytes, whatever the number of threads.
//!
//! There is no remeshing to quads. Those that artists would keep follow the curvature and need a global field with its
//! singularities placed well (Bommes et al. 2009, Jakob et al. 2015); no well-kept permissive crate does that, and pairing
//! triangles after the fact gives quads in no order that anyone could select a loop of. glTF could not hold them either.

mod background;
pub mod bake;
mod buckets;
pub mod cell_pattern;
mod clean;
mod close;
mod control;
mod dilate;
mod error;
pub mod fidelity;
mod finish;
mod health;
mod holes;
mod intersections;
mod joined;
mod layout;
pub mod nearest;
mod orient;
mod pieces;
mod ray;
mod remesh;
mod settings;
#[doc(hidden)]
pub mod shapes;
mod shells;
mod simplify;
mod split;
mod tangents;
mod topology;
mod touching;
mod unwrap;
mod watertight;
mod weld;

pub use bake::uv_overlap;
pub use clean::{drop_bad_faces, remove_small_components};
pub use close::close_all_holes;
pub use control::{Control, Step, StepProgress, StepTiming};
pub use dilate::closest_covered;
pub use error::MeshError;
pub(crate) use finish::clean_surface;
pub use finish::{Finished, Prepared, finish};
pub use health::{FlawedEdges, MeshHealth};
pub use holes::fill_holes;
pub use intersections::SelfIntersections;
pub use layout::LayoutQuality;
pub use orient::orient_outward;
pub use ray::first_hit;
pub use remesh::{RemeshSettings, remesh};
pub use settings::{ColorSource, FinishSettings};
pub use shells::remove_inner_shells;
pub use simplify::{Simplifier, simplify};
pub use split::split_non_manifold;
pub use tangents::compute_tangents;
pub use touching::part_touching;
pub use unwrap::{Unwrapped, unwrap};
pub use watertight::{Watertight, make_watertight};
pub use weld::weld;
