use tch::{Kind, Tensor};

use super::{NeighbourMap, Subdivision};
use crate::Result;
use crate::kernels::{BLOCK_ROWS, BlockedRows};

/// Bits of a mask of neighbours.
const MASK_BITS: i64 = NeighbourMap::NUM_OFFSETS;
/// Masks are made of so many voxels at once.
const MASKS_AT_ONCE: i64 = 1 << 20;

/// Which neighbours each voxel has: bit `k` for column `k`. `[N]` int32
pub(super) fn masks(rows: &Tensor) -> Result<Tensor> {
    let num_voxels = rows.size()[0];
    let bits: Vec<i32> = (0..MASK_BITS).map(|bit| 1 << bit).collect();
    let bits = Tensor::f_from_slice(&bits)?.f_to_device(rows.device())?;
    let mut parts = Vec::new();
    for start in (0..num_voxels).step_by(MASKS_AT_ONCE as usize) {
        let part = rows.f_narrow(0, start, MASKS_AT_ONCE.min(num_voxels - start))?;
        let is_there = part.f_lt(num_voxels)?.f_to_kind(Kind::Int)?;
        parts.push(is_there.f_mul(&bits)?.f_sum_dim_intlist(1, false, Kind::Int)?);
    }
    Ok(Tensor::f_cat(&parts, 0)?)
}

/// Voxels with the same neighbours together: a block of them skips the offsets that none of them has.
pub(super) fn by_neighbours(masks: &Tensor) -> Result<BlockedRows> {
    let rows = filled_up(&masks.f_argsort(0, false)?.f_to_kind(Kind::Int)?)?;
    let parts = Tensor::f_zeros([rows.size()[0] / BLOCK_ROWS], (Kind::Int, rows.device()))?;
    Ok(BlockedRows {
        out_rows: rows.shallow_clone(),
        in_rows: rows,
        parts,
    })
}

impl Subdivision {
    /// Children of the same number together, for they use the same part of the weights; among those, children whose parents
    /// have the same neighbours.
    pub(super) fn blocked_rows(&self, parents: &NeighbourMap) -> Result<BlockedRows> {
        let number = self.places.f_bitwise_and(7)?;
        let parent = self.places.f_bitwise_right_shift_tensor_scalar(3)?;
        let key = number
            .f_bitwise_left_shift_tensor_scalar(MASK_BITS)?
            .f_to_kind(Kind::Int)?;
        let mut key = key;
        let order = key
            .f_add_(&parents.masks()?.f_index_select(0, &parent)?)?
            .f_argsort(0, false)?;
        let parent = parent.f_index_select(0, &order)?.f_to_kind(Kind::Int)?;
        let order = order.f_to_kind(Kind::Int)?;
        let counts = Vec::<i64>::try_from(number.f_bincount::<&Tensor>(None, 8)?)?;
        let (mut in_rows, mut out_rows, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = 0;
        for (part, count) in counts.into_iter().enumerate().filter(|&(_, count)| count > 0) {
            in_rows.push(filled_up(&parent.f_narrow(0, start, count)?)?);
            out_rows.push(filled_up(&order.f_narrow(0, start, count)?)?);
            let num_blocks = (count + BLOCK_ROWS - 1) / BLOCK_ROWS;
            parts.push(Tensor::f_full([num_blocks], part as i64, (Kind::Int, order.device()))?);
            start += count;
        }
        Ok(BlockedRows {
            in_rows: Tensor::f_cat(&in_rows, 0)?,
            out_rows: Tensor::f_cat(&out_rows, 0)?,
            parts: Tensor::f_cat(&parts, 0)?,
        })
    }
}

/// With rows of -1 up to whole blocks.
fn filled_up(rows: &Tensor) -> Result<Tensor> {
    let missing = (BLOCK_ROWS - rows.size()[0] % BLOCK_ROWS) % BLOCK_ROWS;
    Ok(rows.f_pad([0, missing], "constant", -1.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;
    use crate::sparse::{ScratchMemory, VoxelTree};

    fn numbers(tensor: &Tensor) -> Vec<i32> {
        Vec::try_from(tensor).expect("numbers")
    }

    #[test]
    fn every_row_is_computed_once_beside_its_like() {
        let fixture = Fixture::open("sparse");
        let mut tree = VoxelTree::new(fixture.tensor("coords")).expect("voxels");
        let masks = numbers(tree.finest().neighbours().masks().expect("masks"));
        let rows = tree.finest().neighbours().blocked_rows().expect("rows");
        assert_eq!(numbers(&rows.in_rows), numbers(&rows.out_rows));
        assert!(numbers(&rows.parts).iter().all(|&part| part == 0));
        let order: Vec<_> = numbers(&rows.in_rows).into_iter().filter(|&row| row >= 0).collect();
        assert!(order.is_sorted_by_key(|&row| masks[row as usize]));
        let mut all = order;
        all.sort_unstable();
        assert!(all.into_iter().eq(0..masks.len() as i32));
        // The voxel itself is the middle one of its neighbours.
        assert!(masks.iter().all(|mask| mask & (1 << 13) != 0));

        tree.subdivide(&fixture.tensor("subdivision"), ScratchMemory::bytes(1 << 20))
            .expect("children");
        let rows = tree.subdivisions()[0]
            .blocked_rows(tree.levels()[0].neighbours())
            .expect("rows");
        let places = Vec::<i64>::try_from(tree.subdivisions()[0].places.shallow_clone()).expect("places");
        let (parents, children) = (numbers(&rows.in_rows), numbers(&rows.out_rows));
        let parts = numbers(&rows.parts);
        let mut seen = Vec::new();
        for (index, (&parent, &child)) in parents.iter().zip(&children).enumerate() {
            assert_eq!(parent < 0, child < 0);
            if child >= 0 {
                let part = parts[index / BLOCK_ROWS as usize];
                assert_eq!(places[child as usize], i64::from(8 * parent + part));
                seen.push(child);
            }
        }
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..places.len() as i32));
    }
}
