#![expect(unsafe_code, reason = "starts a kernel on tensors' memory")]

use std::ffi::c_void;

use tch::{Kind, Tensor};

use super::{Recipe, is_half_on_card, kernel};
use crate::{Result, TrellisError};

/// Rows that a block computes.
pub(crate) const BLOCK_ROWS: i64 = 128;

/// Rows in the order that [`convolve`] computes them in: so many blocks of [`BLOCK_ROWS`], filled up with rows of -1.
#[derive(Debug)]
pub(crate) struct BlockedRows {
    /// Whose neighbours each row takes. `[blocks * BLOCK_ROWS]` int32
    pub in_rows: Tensor,
    /// Where each row's result goes. `[blocks * BLOCK_ROWS]` int32
    pub out_rows: Tensor,
    /// Which part of the weights each block uses. `[blocks]` int32
    pub parts: Tensor,
}

/// Whether [`convolve`] can take features and weights like these, on a card that it can be compiled for.
pub(crate) fn suits(x: &Tensor, weight: &Tensor, out_channels: i64) -> bool {
    let in_channels = x.size()[1];
    let suits = is_half_on_card(x) && is_half_on_card(weight);
    suits
        && in_channels % 64 == 0
        && out_channels % 64 == 0
        && kernel(&Tile::of(out_channels).recipe(), x.device()).is_some()
}

/// How a block is divided. These are the fastest of sixteen on an H200 that also fit the shared memory of cards of 2020
/// and later, 99 KiB.
struct Tile {
    columns: i64,
    warp: (i64, i64),
    depth: i64,
    stages: i64,
}

impl Tile {
    fn of(out_channels: i64) -> Self {
        if out_channels % 128 == 0 {
            Self {
                columns: 128,
                warp: (32, 64),
                depth: 64,
                stages: 2,
            }
        } else {
            Self {
                columns: 64,
                warp: (64, 32),
                depth: 32,
                stages: 4,
            }
        }
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            name: "submanifold_conv",
            source: include_str!("submanifold_conv.cu"),
            definitions: vec![
                ("BM", BLOCK_ROWS),
                ("BN", self.columns),
                ("WM", self.warp.0),
                ("WN", self.warp.1),
                ("BK", self.depth),
                ("STAGES", self.stages),
            ],
            shared_bytes: self.shared_bytes(),
        }
    }

    /// The ring of buffers, and the neighbours.
    fn shared_bytes(&self) -> u32 {
        (self.stages * (BLOCK_ROWS + self.columns) * self.depth * 2 + 27 * BLOCK_ROWS * 4) as u32
    }

    fn num_threads(&self) -> u32 {
        (BLOCK_ROWS / self.warp.0 * (self.columns / self.warp.1) * 32) as u32
    }
}

/// Numbers that are added to a convolution's result, without a copy of them in its shape.
#[derive(Clone, Copy)]
pub(crate) struct Added<'a> {
    /// `[R, C]` f16. Each channel is added to as many neighbouring channels of the result as make up its width.
    pub features: &'a Tensor,
    /// Which row is added to each row of the result. `[M]` int64
    pub places: &'a Tensor,
}

/// The convolution, where [`suits`] says so.
///
/// `x`: `[N.., in]` f16; `neighbours`: `[N, 27]` int32, `N` for nobody; `weight`: `[parts * out, 27 * in]`; `bias`:
/// `[parts * out]`; `out`: `[M, out]`, whose rows are written where `rows` says.
pub(crate) fn convolve(
    x: &Tensor,
    neighbours: &Tensor,
    rows: &BlockedRows,
    (weight, bias): (&Tensor, &Tensor),
    added: Option<Added<'_>>,
    out: &Tensor,
) -> Result<()> {
    let (in_channels, out_channels) = (x.size()[1], out.size()[1]);
    let tile = Tile::of(out_channels);
    let is_list =
        |tensor: &Tensor| tensor.kind() == Kind::Int && tensor.is_contiguous() && tensor.device() == x.device();
    let fits = suits(x, weight, out_channels)
        && is_half_on_card(bias)
        && is_half_on_card(out)
        && weight.size()[1] == 27 * in_channels
        && weight.size()[0] == bias.size()[0]
        && [neighbours, &rows.in_rows, &rows.out_rows, &rows.parts]
            .into_iter()
            .all(is_list)
        && neighbours.size()[1] == 27
        && neighbours.size()[0] <= x.size()[0]
        && rows.in_rows.size() == [rows.parts.size()[0] * BLOCK_ROWS]
        && rows.out_rows.size() == rows.in_rows.size()
        && added.is_none_or(|added| {
            is_half_on_card(added.features)
                && out_channels % added.features.size()[1] == 0
                && added.places.kind() == Kind::Int64
                && added.places.is_contiguous()
                && added.places.size() == [out.size()[0]]
        });
    let Some((driver, kernel)) = kernel(&tile.recipe(), x.device()).filter(|_| fits) else {
        return Err(TrellisError::Invalid(
            "Tensors do not suit the kernel for convolutions".to_owned(),
        ));
    };
    let num_blocks = rows.parts.size()[0] * (out_channels / tile.columns);
    let num_blocks = u32::try_from(num_blocks)
        .map_err(|_| TrellisError::Invalid("There are more voxels than a convolution can take".to_owned()))?;
    let mut pointers = [
        x,
        neighbours,
        &rows.in_rows,
        &rows.out_rows,
        &rows.parts,
        weight,
        bias,
        out,
    ]
    .map(Tensor::data_ptr);
    let mut numbers = [neighbours.size()[0], in_channels, out_channels].map(|number| number as i32);
    let null = std::ptr::null_mut();
    let mut added_pointers = added.map_or([null; 2], |added| [added.features.data_ptr(), added.places.data_ptr()]);
    let added_channels = added.map_or(out_channels, |added| added.features.size()[1]);
    let mut added_numbers = [added_channels, out_channels / added_channels].map(|number| number as i32);
    let mut arguments: Vec<*mut c_void> = Vec::new();
    arguments.extend(
        pointers
            .iter_mut()
            .map(|pointer| std::ptr::from_mut(pointer).cast::<c_void>()),
    );
    arguments.extend(
        numbers
            .iter_mut()
            .map(|number| std::ptr::from_mut(number).cast::<c_void>()),
    );
    arguments.extend(
        added_pointers
            .iter_mut()
            .map(|pointer| std::ptr::from_mut(pointer).cast::<c_void>()),
    );
    arguments.extend(
        added_numbers
            .iter_mut()
            .map(|number| std::ptr::from_mut(number).cast::<c_void>()),
    );
    // SAFETY: arguments are the kernel's in number, order and type; shapes were checked; rows name voxels and results
    // that are there, and places rows that are, as whoever made them sees to.
    unsafe {
        driver.launch(
            kernel,
            num_blocks,
            tile.num_threads(),
            tile.shared_bytes(),
            &mut arguments,
        )
    }
    .map_err(TrellisError::DeviceLost)
}

#[cfg(test)]
mod tests {
    use tch::{Cuda, Device};

    use crate::fixture::relative_error;
    use crate::sparse::{ScratchMemory, SubmanifoldConv, VoxelTree, padded};
    use crate::torch::load_cuda;
    use crate::weights::Weights;

    use super::*;

    /// A crust of voxels, of more than one block.
    fn tree(device: Device) -> VoxelTree {
        let ramp = Tensor::arange(14, (Kind::Int, Device::Cpu));
        let grid = Tensor::stack(&Tensor::meshgrid_indexing(&[&ramp, &ramp, &ramp], "ij"), -1).view([-1, 3]);
        let distance = (grid.to_kind(Kind::Float) - 6.5).norm_scalaropt_dim(2.0, [1], false);
        let is_crust = distance.gt(4.6).logical_and(&distance.lt(6.1));
        let coords = grid
            .index_select(0, &is_crust.nonzero().squeeze_dim(1))
            .constant_pad_nd([1, 0]);
        let mask = Tensor::arange(coords.size()[0] * 8, (Kind::Int64, Device::Cpu)).view([-1, 8]);
        let mask = (mask * 2_654_435_761_i64)
            .bitwise_right_shift_tensor_scalar(11)
            .bitwise_and(1)
            .gt(0);
        let mut tree = VoxelTree::new(coords.to_device(device)).expect("voxels");
        tree.subdivide(&mask.to_device(device), ScratchMemory::bytes(1 << 24))
            .expect("children");
        tree
    }

    /// Features and a convolution on the processor in f32, and the same on the card in f16, of numbers that both can hold.
    fn sides(in_channels: i64, out_channels: i64) -> [(Tensor, SubmanifoldConv, VoxelTree); 2] {
        let num_voxels = tree(Device::Cpu).levels()[0].num_voxels();
        let x = Tensor::randn([num_voxels, in_channels], (Kind::Float, Device::Cpu)).to_kind(Kind::Half);
        [(Device::Cpu, Kind::Float), (Device::Cuda(0), Kind::Half)].map(|(device, kind)| {
            let tree = tree(device);
            let conv = SubmanifoldConv::new(&Weights::drawn(device), in_channels, out_channels, kind).expect("weights");
            (
                padded(&x.to_device(device).to_kind(kind)).expect("a row more"),
                conv,
                tree,
            )
        })
    }

    #[test]
    fn on_a_card_a_convolution_is_the_processors_but_for_rounding() {
        if load_cuda() == Device::Cpu {
            println!("There is no graphics card: its kernel for convolutions is left out.");
            return;
        }
        assert!(Cuda::is_available());
        let scratch = ScratchMemory::bytes(1 << 24);
        // The last has no kernel: libtorch's gather and product do it, on the card as well.
        for (in_channels, out_channels) in [(64, 64), (128, 64), (64, 128), (192, 384), (64, 40)] {
            let [cpu, card] = sides(in_channels, out_channels).map(|(x, conv, tree)| {
                let level = &tree.levels()[0];
                let size = [level.num_voxels(), out_channels];
                let out = Tensor::full(size, f64::NAN, (x.kind(), x.device()));
                conv.forward_into(&out, &x, level.neighbours(), None, scratch)
                    .expect("numbers");
                out.to_device(Device::Cpu)
            });
            let error = relative_error(&card, &cpu);
            assert!(error < 2e-3, "{in_channels} to {out_channels}: {error:e}");

            let [cpu, card] = sides(in_channels, 8 * out_channels).map(|(x, conv, tree)| {
                let size = [tree.finest().num_voxels(), out_channels];
                let out = Tensor::full(size, f64::NAN, (x.kind(), x.device()));
                let neighbours = tree.levels()[0].neighbours();
                conv.split_into(&out, &x, neighbours, &tree.subdivisions()[0], scratch)
                    .expect("numbers");
                out.to_device(Device::Cpu)
            });
            let error = relative_error(&card, &cpu);
            assert!(error < 2e-3, "{in_channels} to eight times {out_channels}: {error:e}");
        }
    }

    #[test]
    fn on_a_card_the_kernel_is_what_is_used() {
        if load_cuda() != Device::Cpu {
            let (x, _, _) = &sides(64, 64)[1];
            let weight = Tensor::zeros([64, 27 * 64], (Kind::Half, x.device()));
            assert!(suits(x, &weight, 64));
            assert!(!suits(x, &weight, 40), "channels that fill no tile");
            assert!(!suits(&x.to_kind(Kind::Float), &weight, 64), "f32");
        }
    }

    #[test]
    fn tensors_that_do_not_suit_are_refused() {
        let x = Tensor::zeros([3, 64], (Kind::Half, Device::Cpu));
        let weight = Tensor::zeros([64, 27 * 64], (Kind::Half, Device::Cpu));
        assert!(!suits(&x, &weight, 64), "the processor has no kernels");
        let list = || Tensor::zeros([BLOCK_ROWS], (Kind::Int, Device::Cpu));
        let rows = BlockedRows {
            in_rows: list(),
            out_rows: list(),
            parts: list(),
        };
        let near = Tensor::zeros([2, 27], (Kind::Int, Device::Cpu));
        assert!(convolve(&x, &near, &rows, (&weight, &x.select(0, 0)), None, &x).is_err());
    }
}
