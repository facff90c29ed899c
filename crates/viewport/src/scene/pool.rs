use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::splat_room::{RoomSize, SplatRoom};
use super::voxel_part::VoxelBuffers;

/// Voxels' buffers that wait for the next structure: one is filled while the one before it is on the screen.
const MAX_SPARE_VOXELS: usize = 2;
/// Rooms for splats: one on the screen, one that waits to be shown, one that is filled.
const MAX_ROOMS: usize = 3;

/// Buffers that one live preview leaves to the next, so that many a second make none. Clones share them. Belongs to the
/// device that it is first used with.
#[derive(Clone, Default)]
pub struct ScenePool(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    voxels: Vec<VoxelBuffers>,
    /// Those that no splats hold are free.
    rooms: Vec<Arc<SplatRoom>>,
}

impl ScenePool {
    /// Gives everything back that no scene uses.
    pub fn clear(&self) {
        *self.kept() = Kept::default();
    }

    pub(super) fn take_voxels(&self) -> Option<VoxelBuffers> {
        self.kept().voxels.pop()
    }

    pub(super) fn give_voxels_back(&self, buffers: VoxelBuffers) {
        let mut kept = self.kept();
        if kept.voxels.len() < MAX_SPARE_VOXELS {
            kept.voxels.push(buffers);
        }
    }

    /// A free room that suits. Those that suit no more are forgotten: previews grow all the time.
    pub(super) fn take_room(&self, size: RoomSize) -> Option<Arc<SplatRoom>> {
        let mut kept = self.kept();
        kept.rooms.retain(|room| room.suits(size));
        let free = kept
            .rooms
            .iter_mut()
            .find_map(|room| Arc::get_mut(room).is_some().then_some(room));
        // The device runs what it was given in order: whatever still draws a room comes before what fills it next.
        free.map(|room| Arc::clone(room))
    }

    /// Lets later splats have a room, unless it is so large that it had better go.
    pub(super) fn keep_room(&self, room: &Arc<SplatRoom>) {
        let mut kept = self.kept();
        let is_known = kept.rooms.iter().any(|known| Arc::ptr_eq(known, room));
        if !is_known && kept.rooms.len() < MAX_ROOMS && room.may_be_kept() {
            kept.rooms.push(Arc::clone(room));
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
