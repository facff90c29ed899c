use std::fmt;
use std::sync::Arc;

use bozzetto_asset::{Direction, View};

use super::Problem;

/// Names a view for as long as the window is open, whatever its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ViewId(pub u64);

/// A picture that is ready to be drawn: `ui.image(&picture.texture)`. Clones share the texture.
#[derive(Clone)]
pub struct Picture {
    /// The texture in egui's store; freed with the last clone.
    pub texture: egui::TextureHandle,
    /// Width and height of `texture` in pixels.
    pub size_px: [usize; 2],
}

impl Picture {
    /// Uploads a picture.
    pub fn new(ctx: &egui::Context, name: &str, image: Arc<egui::ColorImage>) -> Self {
        let size_px = image.size;
        let texture = ctx.load_texture(name, egui::ImageData::Color(image), egui::TextureOptions::LINEAR);
        Self { texture, size_px }
    }

    /// Width over height.
    pub fn aspect(&self) -> f32 {
        self.size_px[0] as f32 / self.size_px[1].max(1) as f32
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} x {})", self.size_px[0], self.size_px[1])
    }
}

/// How the object is cut out of a picture.
#[derive(Clone, Debug)]
pub struct MattePreview {
    /// The object on a transparent ground, at most 384 px on its longer side.
    pub cutout: Picture,
    /// Share of the picture that is object, `[0, 1]`. Near 0 or 1 the cut-out has likely failed.
    pub coverage: f32,
}

impl MattePreview {
    /// What looks wrong about the cut-out, if anything, as a sentence.
    pub fn warning(&self) -> Option<&'static str> {
        if self.coverage < 0.005 {
            Some("Almost nothing is left of the picture. Lower the threshold or invert the cut-out.")
        } else if self.coverage > 0.97 {
            Some("The background could not be told from the object. Raise the threshold or use a plainer background.")
        } else {
            None
        }
    }
}

/// How far a picture is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ViewStatus {
    /// Being read; there may be a thumbnail already.
    #[default]
    Decoding,
    /// Read and cut out.
    Ready,
    /// Cannot be used.
    Failed(Problem),
}

/// A picture in the list.
#[derive(Clone, Debug)]
pub struct ViewItem {
    /// Its identity.
    pub id: ViewId,
    /// What a job will be told.
    pub view: View,
    /// File name, for labels.
    pub name: String,
    /// How far it is.
    pub status: ViewStatus,
    /// Size of the file's picture in pixels, once known.
    pub size_px: Option<[u32; 2]>,
    /// At most 192 px on its longer side.
    pub thumbnail: Option<Picture>,
    /// At most 1280 px on its longer side, for the overlay over the stage.
    pub photo: Option<Picture>,
    /// The cut-out, once computed.
    pub matte: Option<MattePreview>,
    /// Whether a newer cut-out is being computed for changed settings.
    pub is_matte_updating: bool,
    /// The direction that the program would take when `view.direction` is `None`.
    pub proposed_direction: Option<Direction>,
}

impl ViewItem {
    /// The direction in force: the artist's or the proposal.
    pub fn direction(&self) -> Option<Direction> {
        self.view.direction.or(self.proposed_direction)
    }
}

/// The pictures and which one is looked at.
#[derive(Debug, Default)]
pub struct ViewsState {
    /// In the order of the list, which is the order of the job.
    pub items: Vec<ViewItem>,
    /// The one whose details are open.
    pub selected: Option<ViewId>,
}

impl ViewsState {
    /// The picture with this id.
    pub fn get(&self, id: ViewId) -> Option<&ViewItem> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The picture with this id, to change it.
    pub fn get_mut(&mut self, id: ViewId) -> Option<&mut ViewItem> {
        self.items.iter_mut().find(|item| item.id == id)
    }

    /// How many take part.
    pub fn num_enabled(&self) -> usize {
        self.items.iter().filter(|item| item.view.enabled).count()
    }

    /// How many are still being read.
    pub fn num_decoding(&self) -> usize {
        self.items
            .iter()
            .filter(|item| item.status == ViewStatus::Decoding)
            .count()
    }
}

/// Files over the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DropState {
    /// How many files are held over the window right now.
    pub num_hovering: usize,
    /// Why files cannot be dropped on this platform and what to do instead; `None` where they can.
    pub obstacle: Option<String>,
}
