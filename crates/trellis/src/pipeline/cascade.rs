use tch::{Kind, Tensor};

use super::{HostTensor, Latent, OnProgress};
use crate::Result;
use crate::decoder::ShapeDecoder;
use crate::networks::{Network, Networks};
use crate::sparse::ScratchMemory;

/// Voxels along an edge of what the coarse shape decodes to.
const COARSE_RESOLUTION: f64 = 512.0;
/// Voxels of a result along the edge of one of a latent.
const VOXELS_PER_TOKEN: u32 = 16;
/// Subdivisions from the coarse latent to its voxels.
const NUM_SUBDIVISIONS: usize = 4;
/// Below this no resolution is tried.
const LEAST_RESOLUTION: u32 = 1024;
/// What a resolution is lowered by when it takes too many tokens.
const RESOLUTION_STEP: u32 = 128;

/// Where the finer latent has its voxels.
#[derive(Clone, Debug, PartialEq)]
pub struct FinerVoxels {
    /// Voxels that the coarse shape's surface runs through, at 512 along an edge, `[M, 4]` (batch, x, y, z).
    surface: HostTensor<i32>,
}

impl FinerVoxels {
    /// The voxels of the latent for a result of `resolution` along an edge, or of less where that would take more than
    /// `max_num_tokens`, in ascending order `[N, 4]`; and that resolution. At 1024 any number is taken.
    ///
    /// Follows `sample_shape_slat_cascade` of upstream's pipeline.
    pub fn at(&self, resolution: u32, max_num_tokens: usize) -> Result<(HostTensor<i32>, u32)> {
        let surface = self.surface.on(tch::Device::Cpu)?;
        let batch = surface.f_narrow(1, 0, 1)?;
        let places = surface.f_narrow(1, 1, 3)?.f_to_kind(Kind::Float)?;
        let places = places.f_add_scalar(0.5)?.f_div_scalar(COARSE_RESOLUTION)?;
        let mut resolution = resolution;
        loop {
            let scale = i64::from(resolution / VOXELS_PER_TOKEN);
            let coarser = places.f_mul_scalar(scale)?.f_to_kind(Kind::Int)?;
            let (coords, _, _) = Tensor::f_cat(&[&batch, &coarser], 1)?.f_unique_dim(0, true, false, false)?;
            let num_tokens = coords.size()[0] as usize;
            if num_tokens < max_num_tokens || resolution <= LEAST_RESOLUTION {
                return Ok((HostTensor::of(&coords)?, resolution));
            }
            resolution = (resolution - RESOLUTION_STEP).max(LEAST_RESOLUTION);
        }
    }

    /// What it takes of memory.
    pub fn num_bytes(&self) -> u64 {
        self.surface.num_bytes()
    }
}

/// Finds where a coarse shape's surface runs.
pub fn finer_voxels(
    networks: &mut Networks,
    coarse: &Latent,
    scratch: ScratchMemory,
    on_block: OnProgress<'_>,
) -> Result<FinerVoxels> {
    networks.load(&[Network::ShapeDecoder])?;
    let device = networks.device();
    let decoder = networks.get::<ShapeDecoder>(Network::ShapeDecoder)?;
    let (coords, features) = (coarse.coords.on(device)?, coarse.features.on(device)?);
    let surface = decoder.upsample(&coords, &features, NUM_SUBDIVISIONS, scratch, on_block)?;
    Ok(FinerVoxels {
        surface: HostTensor::of(&surface)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(coords: &[[i32; 4]]) -> FinerVoxels {
        FinerVoxels {
            surface: HostTensor {
                data: coords.concat(),
                shape: vec![coords.len() as i64, 4],
            },
        }
    }

    #[test]
    fn voxels_of_the_surface_fall_into_those_of_the_latent_once_each() {
        let finer = surface(&[[0, 511, 0, 8], [0, 7, 0, 8], [0, 8, 0, 8], [0, 0, 0, 15]]);
        let (coords, resolution) = finer.at(1024, 10).expect("voxels");
        assert_eq!(
            (coords.data, resolution),
            (vec![0, 0, 0, 1, 0, 1, 0, 1, 0, 63, 0, 1], 1024)
        );
        let (coords, _) = finer.at(1536, 10).expect("voxels");
        assert_eq!(coords.data, [0, 0, 0, 2, 0, 1, 0, 1, 0, 95, 0, 1]);
    }

    #[test]
    fn too_many_tokens_lower_the_resolution_but_not_below_1024() {
        // A row along x: as many tokens as the latent has voxels along an edge.
        let row: Vec<_> = (0..512).map(|x| [0, x, 0, 0]).collect();
        let finer = surface(&row);
        for (most, expected) in [(97, 1536), (96, 1408), (81, 1280), (80, 1152), (72, 1024), (5, 1024)] {
            assert_eq!(finer.at(1536, most).expect("voxels").1, expected, "{most}");
        }
        assert_eq!(finer.at(1024, 5).expect("voxels").0.len(), 64);
    }
}
