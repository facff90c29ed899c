use std::cell::OnceCell;

use tch::{Device, Kind, Tensor};

use super::{ScratchMemory, order};
use crate::kernels::BlockedRows;
use crate::{Result, TrellisError};

/// For each voxel the rows of the 27 voxels around it, itself in the middle.
#[derive(Debug)]
pub struct NeighbourMap {
    /// `[N, 27]` int32. Column of an offset: [`NeighbourMap::column`]. `N`, the row of zeros, where there is no voxel.
    rows: Tensor,
    /// Made when they are first asked for.
    masks: OnceCell<Tensor>,
    blocked_rows: OnceCell<BlockedRows>,
}

impl NeighbourMap {
    fn new(rows: Tensor) -> Self {
        Self {
            rows,
            masks: OnceCell::new(),
            blocked_rows: OnceCell::new(),
        }
    }

    /// Voxels of a neighbourhood of 3 x 3 x 3.
    pub const NUM_OFFSETS: i64 = 27;

    /// Where the neighbour at an offset of -1, 0 or 1 along each axis stands. It is also the place of its kernel weight:
    /// the kernel is stored with x slowest.
    pub const fn column(dx: i64, dy: i64, dz: i64) -> i64 {
        ((dx + 1) * 3 + dy + 1) * 3 + dz + 1
    }

    /// `[N, 27]` int32, `N` where there is no voxel.
    pub fn rows(&self) -> &Tensor {
        &self.rows
    }

    /// How many voxels there are.
    pub fn num_voxels(&self) -> i64 {
        self.rows.size()[0]
    }

    /// Which neighbours each voxel has: bit `k` for column `k`. `[N]` int32
    pub(super) fn masks(&self) -> Result<&Tensor> {
        if self.masks.get().is_none() {
            let _ = self.masks.set(order::masks(&self.rows)?);
        }
        self.masks.get().ok_or_else(not_made)
    }

    /// Voxels in an order in which neighbours of the same kind stand together.
    pub(super) fn blocked_rows(&self) -> Result<&BlockedRows> {
        if self.blocked_rows.get().is_none() {
            let _ = self.blocked_rows.set(order::by_neighbours(self.masks()?)?);
        }
        self.blocked_rows.get().ok_or_else(not_made)
    }

    /// Looks every neighbour up. `coords`: `[N, 4]` int32 (batch, x, y, z), none negative, in any order.
    ///
    /// Codes count along z first, so the three neighbours of a column follow each other in the sorted list and one search
    /// finds them all.
    pub fn search(coords: &Tensor) -> Result<Self> {
        let num_voxels = coords.size()[0];
        let (codes, [_, stride_x, stride_y]) = codes(coords)?;
        let (sorted, order) = codes.f_sort(0, false)?;
        let repeats = sorted.f_narrow(0, 1, (num_voxels - 1).max(0))?;
        let repeats = repeats.f_eq_tensor(&sorted.f_narrow(0, 0, (num_voxels - 1).max(0))?)?;
        if bool::try_from(repeats.f_any()?)? {
            return Err(TrellisError::Invalid("Two voxels are at the same place".to_owned()));
        }
        // Searches may end up to three places past the end.
        let sorted = Tensor::f_cat(
            &[&sorted, &Tensor::f_full([4], i64::MAX, (Kind::Int64, coords.device()))?],
            0,
        )?;
        let order = order.f_constant_pad_nd([0, 4])?.f_to_kind(Kind::Int)?;
        let nobody = Tensor::f_full([1], num_voxels, (Kind::Int, coords.device()))?;

        let rows = Tensor::f_empty([num_voxels, Self::NUM_OFFSETS], (Kind::Int, coords.device()))?;
        for dx in -1..=1 {
            for dy in -1..=1 {
                let lowest = codes.f_add_scalar(dx * stride_x + dy * stride_y - 1)?;
                let mut place = lowest.f_searchsorted(&sorted, false, false, "left", None::<&Tensor>)?;
                for dz in -1..=1 {
                    let is_there = sorted.f_take(&place)?.f_eq_tensor(&lowest.f_add_scalar(dz + 1)?)?;
                    let row = order.f_take(&place)?.f_where_self(&is_there, &nobody)?;
                    rows.f_select(1, Self::column(dx, dy, dz))?.f_copy_(&row)?;
                    place = place.f_add_(&is_there.f_to_kind(Kind::Int64)?)?;
                }
            }
        }
        Ok(Self::new(rows))
    }

    /// Neighbours of children from their parents': every neighbour of a child is a child of a neighbour of its parent.
    ///
    /// `places`: `[M]` int64, ascending; child `m` is child number `places[m] % 8` of parent `places[m] / 8`.
    pub(super) fn of_children(parents: &Self, places: &Tensor, scratch: ScratchMemory) -> Result<Self> {
        let device = places.device();
        let num_parents = parents.num_voxels();
        let num_children = places.size()[0];
        // Row of each child that a parent could have; parent number `num_parents` stands for those that are missing.
        let mut child_rows = Tensor::f_full([(num_parents + 1) * 8], num_children, (Kind::Int, device))?;
        let own_rows = Tensor::f_arange(num_children, (Kind::Int, device))?;
        let child_rows = child_rows.f_scatter_(0, places, &own_rows)?;

        let (parent_columns, child_numbers) = family_tables(device)?;
        let rows = Tensor::f_empty([num_children, Self::NUM_OFFSETS], (Kind::Int, device))?;
        let row_bytes = Self::NUM_OFFSETS as usize * size_of::<i64>() * 4;
        for (start, length) in scratch.chunks(num_children, row_bytes) {
            let places = places.f_narrow(0, start, length)?;
            let number = places.f_bitwise_and(7)?;
            let parent = places.f_bitwise_right_shift_tensor_scalar(3)?;
            let column = parent_columns.f_index_select(0, &number)?; // [m, 27]
            let near = parents
                .rows
                .f_take(&column.f_add(&parent.f_mul_scalar(Self::NUM_OFFSETS)?.f_unsqueeze(1)?)?)?;
            let mut near = near.f_to_kind(Kind::Int64)?.f_mul_scalar_(8)?;
            let place = near.f_add_(&child_numbers.f_index_select(0, &number)?)?;
            rows.f_narrow(0, start, length)?.f_copy_(&child_rows.f_take(&place)?)?;
        }
        Ok(Self::new(rows))
    }
}

/// A cell that was just filled is empty: it cannot be.
fn not_made() -> TrellisError {
    TrellisError::Invalid("Neighbours were lost".to_owned())
}

/// A number for each voxel that orders by batch, x, y, z, and what one step along batch, x and y adds to it. Between rows of
/// voxels lie two numbers that no voxel has, so that a step over the edge finds nobody.
fn codes(coords: &Tensor) -> Result<(Tensor, [i64; 3])> {
    let coords = coords.f_to_kind(Kind::Int64)?;
    let (lowest, highest) = (coords.f_min()?, coords.f_amax([0_i64], false)?);
    let lowest = i64::try_from(lowest)?;
    let highest = Vec::<i64>::try_from(highest)?;
    let &[_, high_x, high_y, high_z] = highest.as_slice() else {
        return Err(TrellisError::Invalid(format!(
            "Coordinates are [N, 4], and not {:?}",
            coords.size()
        )));
    };
    if lowest < 0 {
        return Err(TrellisError::Invalid("A voxel lies outside the grid".to_owned()));
    }
    let stride_y = high_z + 3;
    let stride_x = stride_y * (high_y + 3);
    let stride_batch = stride_x * (high_x + 3);
    let strides = Tensor::f_from_slice(&[stride_batch, stride_x, stride_y, 1])?.f_to_device(coords.device())?;
    let codes = coords.f_mul(&strides)?.f_sum_dim_intlist(1, false, Kind::Int64)?;
    Ok((
        codes.f_add_scalar(stride_x + stride_y + 1)?,
        [stride_batch, stride_x, stride_y],
    ))
}

/// For each child number and offset: the column of the parent's neighbour that holds the voxel there, and which of its
/// children it is. Both `[8, 27]` int64.
fn family_tables(device: Device) -> Result<(Tensor, Tensor)> {
    let mut columns = Vec::new();
    let mut numbers = Vec::new();
    for number in 0..8 {
        let along = |axis: i64, step: i64| {
            let place = ((number >> axis) & 1) + step;
            (place.div_euclid(2), place.rem_euclid(2))
        };
        for dx in -1..=1 {
            for dy in -1..=1 {
                for dz in -1..=1 {
                    let ((px, cx), (py, cy), (pz, cz)) = (along(0, dx), along(1, dy), along(2, dz));
                    columns.push(NeighbourMap::column(px, py, pz));
                    numbers.push(cx + 2 * cy + 4 * cz);
                }
            }
        }
    }
    let table = |values: &[i64]| -> Result<Tensor> {
        Ok(Tensor::f_from_slice(values)?
            .f_view([8, NeighbourMap::NUM_OFFSETS])?
            .f_to_device(device)?)
    };
    Ok((table(&columns)?, table(&numbers)?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::sparse::VoxelTree;

    /// Two batches of scattered voxels, many at the border of the grid, in no order.
    fn scattered() -> Tensor {
        let mut state = 1_u32;
        let mut rows = Vec::new();
        for code in 0..2 * 5 * 6 * 4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 30 != 0 {
                rows.push((state, [code / 120, code / 24 % 5, code / 4 % 6, code % 4]));
            }
        }
        rows.sort_unstable();
        let rows: Vec<i32> = rows.into_iter().flat_map(|(_, row)| row).collect();
        Tensor::from_slice(&rows).view([-1, 4])
    }

    fn by_hash(coords: &Tensor) -> Vec<i32> {
        let flat = Vec::<i32>::try_from(coords.flatten(0, 1)).expect("coordinates");
        let voxels: Vec<&[i32]> = flat.chunks_exact(4).collect();
        let rows: HashMap<&[i32], i32> = voxels.iter().copied().zip(0..).collect();
        let mut found = Vec::new();
        for voxel in &voxels {
            for column in 0..27 {
                let near = [
                    voxel[0],
                    voxel[1] + column / 9 - 1,
                    voxel[2] + column / 3 % 3 - 1,
                    voxel[3] + column % 3 - 1,
                ];
                found.push(rows.get(&near[..]).copied().unwrap_or(voxels.len() as i32));
            }
        }
        found
    }

    fn rows_of(map: &NeighbourMap) -> Vec<i32> {
        Vec::try_from(map.rows().flatten(0, 1)).expect("rows")
    }

    #[test]
    fn search_finds_what_a_hash_map_finds() {
        let coords = scattered();
        assert!(coords.size()[0] > 100);
        let map = NeighbourMap::search(&coords).expect("a map");
        assert_eq!(rows_of(&map), by_hash(&coords));
    }

    #[test]
    fn children_inherit_what_a_search_finds() {
        let scratch = ScratchMemory::bytes(40_000);
        let mut tree = VoxelTree::new(scattered()).expect("a tree");
        for step in 0..2 {
            let num_voxels = tree.finest().num_voxels();
            let mask = Tensor::arange(num_voxels * 8, (Kind::Int64, Device::Cpu)).view([-1, 8]);
            // About half of all children, in a pattern without a period that fits the voxels.
            let mask = (mask * 2_654_435_761_i64)
                .bitwise_right_shift_tensor_scalar(9 + step)
                .bitwise_and(1)
                .gt(0);
            tree.subdivide(&mask, scratch).expect("children");
            let children = tree.finest();
            assert!(children.num_voxels() > num_voxels);
            assert_eq!(rows_of(children.neighbours()), by_hash(children.coords()));
        }
    }

    #[test]
    fn repeated_and_negative_voxels_are_refused() {
        let twice = Tensor::from_slice(&[0, 1, 2, 3, 0, 0, 0, 0, 0, 1, 2, 3])
            .view([3, 4])
            .to_kind(Kind::Int);
        assert!(NeighbourMap::search(&twice).is_err_and(|error| error.to_string().contains("same place")));
        let outside = Tensor::from_slice(&[0, 1, -2, 3]).view([1, 4]).to_kind(Kind::Int);
        assert!(NeighbourMap::search(&outside).is_err_and(|error| error.to_string().contains("outside")));
    }
}
