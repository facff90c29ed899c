use tch::{Kind, Tensor};

use super::torso::{Progress, Torso};
use super::{DecoderConfig, OnBlock};
use crate::sparse::{ScratchMemory, VoxelTree};
use crate::weights::Weights;
use crate::{Result, TrellisError};

/// `SparseUnetVaeDecoder`: from material latents to materials of the voxels that the shape decoder made.
pub struct MaterialDecoder {
    torso: Torso,
}

impl MaterialDecoder {
    const OUT_CHANNELS: i64 = 6;

    /// The blocks compute in `kind`: f32, or f16 as upstream has it.
    pub fn new(weights: &Weights<'_>, config: &DecoderConfig, kind: Kind) -> Result<Self> {
        let torso = Torso::new(weights, config, Self::OUT_CHANNELS, false, kind)?;
        Ok(Self { torso })
    }

    /// `latent`: `[N, latent channels]` f32, of the tree's coarsest voxels.
    ///
    /// Returns `[M, 6]` f32 of its finest: base colour (sRGB), metallic, roughness and alpha, about `[0, 1]` and not clamped.
    pub fn decode(
        &self,
        latent: &Tensor,
        tree: &VoxelTree,
        scratch: ScratchMemory,
        mut on_block: OnBlock<'_>,
    ) -> Result<Tensor> {
        if tree.levels().len() != self.torso.num_levels() || latent.size()[0] != tree.levels()[0].num_voxels() {
            let reason = "The material's latent does not belong to the shape's voxels".to_owned();
            return Err(TrellisError::Invalid(reason));
        }
        let mut progress = Progress::new(&mut on_block, self.torso.num_blocks());
        let mut x = self.torso.enter(latent)?;
        for (index, level) in tree.levels().iter().enumerate() {
            x = self.torso.refine(x, index, level, scratch, &mut progress)?;
            if self.torso.up(index).is_some() {
                progress.step()?;
            }
            if let Some(finer) = self.torso.rise(&x, index, tree, scratch)? {
                x = finer;
            }
        }
        Ok(self.torso.leave(&x, scratch)?.f_mul_scalar_(0.5)?.f_add_scalar_(0.5)?)
    }
}
