use crate::draw::lines::Line;
use crate::draw::photos::Photo;
use crate::growing::GrowingBuffer;
use crate::region::Region;
use crate::targets::Targets;
use crate::tile_frame::TileFrame;
use crate::{Frame, SplatTier};

/// What frames are drawn into, and the frame that stands there.
///
/// A picture belongs to the device that it was first drawn on. It may show one scene after the other, and several
/// pictures may show the same scene in different ways.
pub struct Picture {
    pub(crate) drawn: Option<Drawn>,
    pub(crate) targets: Option<Targets>,
    /// Made for these targets and one set of splats.
    pub(crate) tiles: Option<TileFrame>,
    pub(crate) uniforms: Option<(wgpu::Buffer, wgpu::BindGroup)>,
    pub(crate) lines: GrowingBuffer,
    pub(crate) photos: GrowingBuffer,
}

/// What the last frame shows.
#[derive(Clone, PartialEq)]
pub(crate) struct Drawn {
    pub frame: Frame,
    pub region: Region,
    /// Of the scene: no two scenes share one.
    pub version: u64,
    pub keeps_straight_alpha: bool,
    pub tier: Option<SplatTier>,
}

impl Default for Picture {
    fn default() -> Self {
        Self {
            drawn: None,
            targets: None,
            tiles: None,
            uniforms: None,
            lines: GrowingBuffer::new("lines"),
            photos: GrowingBuffer::new("photos"),
        }
    }
}

impl Picture {
    /// A picture of nothing yet; memory is taken with the first frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the memory of another size back before this size takes its own: at 4K both together would be half a gigabyte.
    pub(crate) fn forget_other_size(&mut self, size_px: [u32; 2]) {
        if self
            .targets
            .as_ref()
            .is_some_and(|targets| targets.layers.size_px != size_px)
        {
            self.drawn = None;
            self.targets = None;
            self.tiles = None;
        }
    }

    /// Gives back what splats alone need.
    pub(crate) fn forget_splats(&mut self) {
        self.tiles = None;
    }

    pub(crate) fn write_overlays(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        lines: &[Line],
        photos: &[Photo],
    ) {
        self.lines.write(device, queue, lines);
        self.photos.write(device, queue, photos);
    }
}
