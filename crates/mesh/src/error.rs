use crate::Step;

/// Why a mesh could not be finished. The sentences are for the artist.
#[derive(Debug, thiserror::Error, Clone, PartialEq)]
pub enum MeshError {
    /// The caller asked to stop.
    #[error("Stopped while {}.", .step.label().to_lowercase())]
    Cancelled {
        /// The step that was running.
        step: Step,
    },
    /// The asset has splats or a volume, but no surface.
    #[error("This result has no surface to finish. Generate again with an engine that makes a mesh.")]
    NoMesh,
    /// No face with an area is there, or none is left after cleaning.
    #[error("The surface has no usable faces ({num_source_faces} came in). Generate again with other settings.")]
    Empty {
        /// Faces before cleaning.
        num_source_faces: usize,
    },
    /// A vertex is NaN or infinite.
    #[error("Vertex {vertex} of the surface is not a number. Generate again; if it stays, the engine is at fault.")]
    NotFinite {
        /// Index of the first such vertex.
        vertex: usize,
    },
    /// An index is out of range, or an attribute has the wrong length.
    #[error("The surface contradicts itself: {what}. Generate again; if it stays, the engine is at fault.")]
    Inconsistent {
        /// Which rule is broken, with the numbers.
        what: String,
    },
    /// No closed surface could be made of it.
    #[error(
        "This surface can't be made watertight: {what}. Give the object more views or thickness and generate again."
    )]
    NotClosable {
        /// What stands in the way, with the numbers.
        what: String,
    },
    /// The material volume contradicts itself.
    #[error("The material volume of this result is damaged. Generate again.")]
    BadVolume,
    /// The splats contradict themselves, or none of them can be seen.
    #[error("The splats of this result are damaged. Generate again.")]
    BadSplats,
    /// Colours are to come from pictures, and there are none whose cameras are known.
    #[error("There are no pictures to take colours from, or their cameras are not known. Take colours as generated.")]
    NoPictures,
    /// A setting is out of its range.
    #[error("{what}")]
    BadSetting {
        /// Which setting, its value and its range.
        what: String,
    },
    /// No UV layout was found.
    #[error(
        "No texture layout was found for {num_faces} faces at {texture_px} px: {cause}. Try fewer faces or a larger texture."
    )]
    UnwrapFailed {
        /// Faces to lay out.
        num_faces: usize,
        /// Texture edge in pixels.
        texture_px: u32,
        /// What the unwrapper said.
        cause: String,
    },
}
