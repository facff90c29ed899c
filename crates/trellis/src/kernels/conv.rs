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
    suits && in_channels % 64 == 0 && out_channels % 64 == 0 && kernel(&Tile::of(out_channels).recipe()).is_some()
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

/// The convolution, where [`suits`] says so.
///
/// `x`: `[N.., in]` f16; `neighbours`: `[N, 27]` int32, `N` for nobody; `weight`: `[parts * out, 27 * in]`; `bias`:
/// `[parts * out]`; `out`: `[M.., out]`, whose rows are written where `rows` says.
pub(crate) fn convolve(
    x: &Tensor,
    neighbours: &Tensor,
    rows: &BlockedRows,
    weight: &Tensor,
    bias: &Tensor,
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
        && rows.out_rows.size() == rows.in_rows.size();
    let Some((driver, kernel)) = kernel(&tile.recipe()).filter(|_| fits) else {
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
    let mut numbers = [neighbours.size()[0] as i32, in_channels as i32, out_channels as i32];
    let mut arguments: Vec<*mut c_void> = pointers
        .iter_mut()
        .map(|pointer| std::ptr::from_mut(pointer).cast())
        .collect();
    arguments.extend(
        numbers
            .iter_mut()
            .map(|number| std::ptr::from_mut(number).cast::<c_void>()),
    );
    // SAFETY: arguments are the kernel's in number, order and type; shapes were checked; rows name voxels and results
    // that are there, as whoever made them sees to.
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
