use bozzetto_engine::EngineError;
use tch::{Kind, Tensor};

use super::{NeighbourMap, ScratchMemory};
use crate::{Result, TrellisError};

/// The voxels of one resolution.
#[derive(Debug)]
pub struct Level {
    coords: Tensor,
    neighbours: NeighbourMap,
}

impl Level {
    /// Voxels at `coords`, `[N, 4]` int32 (batch, x, y, z).
    pub fn new(coords: Tensor) -> Result<Self> {
        if coords.kind() != Kind::Int || coords.size().len() != 2 || coords.size()[1] != 4 || coords.size()[0] == 0 {
            return Err(TrellisError::Invalid(format!(
                "Voxels are [N, 4] numbers, and not {:?}",
                coords.size()
            )));
        }
        let neighbours = NeighbourMap::search(&coords)?;
        Ok(Self { coords, neighbours })
    }

    /// `[N, 4]` int32 (batch, x, y, z).
    pub fn coords(&self) -> &Tensor {
        &self.coords
    }

    /// Who neighbours whom.
    pub fn neighbours(&self) -> &NeighbourMap {
        &self.neighbours
    }

    /// How many voxels there are.
    pub fn num_voxels(&self) -> i64 {
        self.coords.size()[0]
    }
}

/// Which of its eight children each voxel of a level has.
///
/// Child `k` lies at twice its parent's coordinates plus `(k & 1, k >> 1 & 1, k >> 2 & 1)`. Children are ordered by parent,
/// then by number.
#[derive(Debug)]
pub struct Subdivision {
    /// `[M]` int64, ascending: eight times the parent's row plus the child's number.
    pub(super) places: Tensor,
    /// `[N + 1]` int64: how many children all parents before each have.
    first_children: Tensor,
}

impl Subdivision {
    /// `mask`: `[N, 8]` bool.
    fn new(mask: &Tensor) -> Result<Self> {
        let places = mask.f_flatten(0, 1)?.f_nonzero()?.f_squeeze_dim(1)?;
        let counts = mask.f_sum_dim_intlist(1, false, Kind::Int64)?;
        let first_children = counts.f_cumsum(0, Kind::Int64)?.f_constant_pad_nd([1, 0])?;
        Ok(Self { places, first_children })
    }

    /// How many children there are.
    pub fn num_children(&self) -> i64 {
        self.places.size()[0]
    }

    /// For each run of parents (start, length) the run of their children.
    pub(crate) fn children_of(&self, parents: &[(i64, i64)]) -> Result<Vec<(i64, i64)>> {
        let bounds: Vec<i64> = parents
            .iter()
            .flat_map(|&(start, length)| [start, start + length])
            .collect();
        let bounds = Tensor::f_from_slice(&bounds)?.f_to_device(self.first_children.device())?;
        let children = Vec::<i64>::try_from(self.first_children.f_index_select(0, &bounds)?)?;
        Ok(children.chunks_exact(2).map(|run| (run[0], run[1] - run[0])).collect())
    }

    /// Moves channels into space: child `k` takes the `k`th eighth of its parent's channels. `[N, 8 C]` to `[M, C]`.
    pub fn channel_to_spatial(&self, features: &Tensor) -> Result<Tensor> {
        self.channel_to_spatial_of(features, 0, (0, self.num_children()))
    }

    /// The same for a run (start, length) of children; `features`, `[n, 8 C]`, are those of the parents from row
    /// `first_parent` on.
    pub(crate) fn channel_to_spatial_of(
        &self,
        features: &Tensor,
        first_parent: i64,
        (start, length): (i64, i64),
    ) -> Result<Tensor> {
        let places = self.places.f_narrow(0, start, length)?.f_sub_scalar(8 * first_parent)?;
        Ok(eighths(features)?.f_index_select(0, &places)?)
    }

    /// Of each child eight times its parent's row plus its number. `[M]` int64, ascending
    pub(crate) fn places(&self) -> &Tensor {
        &self.places
    }

    /// `[M, 4]` coordinates of the children.
    fn coords(&self, parents: &Tensor) -> Result<Tensor> {
        let axes = Tensor::f_from_slice(&[2_i32, 0, 1, 2])?.f_to_device(parents.device())?;
        let scale = Tensor::f_from_slice(&[1_i32, 2, 2, 2])?.f_to_device(parents.device())?;
        let is_axis = Tensor::f_from_slice(&[0_i32, 1, 1, 1])?.f_to_device(parents.device())?;
        let number = self.places.f_bitwise_and(7)?.f_to_kind(Kind::Int)?.f_unsqueeze(1)?;
        let step = number.f_bitwise_right_shift(&axes)?.f_bitwise_and(1)?.f_mul(&is_axis)?;
        let parent = self.places.f_bitwise_right_shift_tensor_scalar(3)?;
        Ok(parents.f_mul(&scale)?.f_index_select(0, &parent)?.f_add_(&step)?)
    }
}

/// Channels of every child as a row: `[N, 8 C]` to `[8 N, C]`.
pub(super) fn eighths(features: &Tensor) -> Result<Tensor> {
    Ok(features.f_reshape([features.size()[0] * 8, features.size()[1] / 8])?)
}

/// Levels of voxels, each the children of some of the voxels of the one before.
#[derive(Debug)]
pub struct VoxelTree {
    levels: Vec<Level>,
    /// One between each level and the next.
    subdivisions: Vec<Subdivision>,
}

impl VoxelTree {
    /// A tree of one level, with voxels at `coords`, `[N, 4]` int32 (batch, x, y, z).
    pub fn new(coords: Tensor) -> Result<Self> {
        Ok(Self {
            levels: vec![Level::new(coords)?],
            subdivisions: Vec::new(),
        })
    }

    /// Adds a level: the children that `mask`, `[N, 8]` bool, gives the finest level.
    ///
    /// # Errors
    /// [`EngineError::NoResult`] when there are none.
    pub fn subdivide(&mut self, mask: &Tensor, scratch: ScratchMemory) -> Result<()> {
        let parents = self.finest();
        if mask.size() != [parents.num_voxels(), 8] {
            return Err(TrellisError::Invalid(format!(
                "A subdivision is [N, 8], and not {:?}",
                mask.size()
            )));
        }
        let subdivision = Subdivision::new(mask)?;
        if subdivision.num_children() == 0 {
            return Err(TrellisError::Engine(EngineError::NoResult {
                reason: "no voxel is left of the shape".to_owned(),
                advice: "Try another seed, or a picture that shows the object larger.".to_owned(),
            }));
        }
        let coords = subdivision.coords(&parents.coords)?;
        let neighbours = NeighbourMap::of_children(&parents.neighbours, &subdivision.places, scratch)?;
        self.subdivisions.push(subdivision);
        self.levels.push(Level { coords, neighbours });
        Ok(())
    }

    /// From the coarsest to the finest. Never empty.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// How each level but the last becomes the next.
    pub fn subdivisions(&self) -> &[Subdivision] {
        &self.subdivisions
    }

    /// The last level.
    pub fn finest(&self) -> &Level {
        &self.levels[self.levels.len() - 1]
    }
}
