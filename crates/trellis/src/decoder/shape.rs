use tch::{Kind, Tensor};

use super::torso::{Progress, Torso};
use super::{DecoderConfig, OnBlock};
use crate::sparse::{ScratchMemory, VoxelTree};
use crate::weights::Weights;
use crate::{Result, TrellisError};

/// What the shape decoder makes.
#[derive(Debug)]
pub struct ShapeVoxels {
    /// Which voxels there are, from the latent's to the finest.
    pub tree: VoxelTree,
    /// Of the finest voxels, `[M, 7]` f32, before their activations: see [`crate::dual_grid`].
    pub features: Tensor,
}

/// `FlexiDualGridVaeDecoder`: from shape latents to the voxels of a flexible dual grid.
pub struct ShapeDecoder {
    torso: Torso,
}

impl ShapeDecoder {
    const OUT_CHANNELS: i64 = 7;

    /// The blocks compute in `kind`: f32, or f16 as upstream has it.
    pub fn new(weights: &Weights<'_>, config: &DecoderConfig, kind: Kind) -> Result<Self> {
        let torso = Torso::new(weights, config, Self::OUT_CHANNELS, true, kind)?;
        Ok(Self { torso })
    }

    /// `coords`: `[N, 4]` int32; `latent`: `[N, latent channels]` f32.
    pub fn decode(
        &self,
        coords: &Tensor,
        latent: &Tensor,
        scratch: ScratchMemory,
        mut on_block: OnBlock<'_>,
    ) -> Result<ShapeVoxels> {
        let mut progress = Progress::new(&mut on_block, self.torso.num_blocks());
        let mut tree = VoxelTree::new(coords.shallow_clone())?;
        let mut x = self.torso.enter(latent)?;
        for level in 0..self.torso.num_levels() {
            x = self.torso.refine(x, level, tree.finest(), scratch, &mut progress)?;
            if self.subdivide(&x, level, &mut tree, scratch)? {
                progress.step()?;
            }
            if let Some(finer) = self.torso.rise(&x, level, &tree, scratch)? {
                x = finer;
            }
        }
        let features = self.torso.leave(&x, scratch)?;
        Ok(ShapeVoxels { tree, features })
    }

    /// Where voxels are after `num_levels` subdivisions, without what they hold. Returns `[M, 4]` int32.
    ///
    /// # Errors
    /// Also when the decoder has not that many.
    pub fn upsample(
        &self,
        coords: &Tensor,
        latent: &Tensor,
        num_levels: usize,
        scratch: ScratchMemory,
        mut on_block: OnBlock<'_>,
    ) -> Result<Tensor> {
        if num_levels >= self.torso.num_levels() {
            let reason = format!("This decoder does not subdivide {num_levels} times");
            return Err(TrellisError::Invalid(reason));
        }
        let mut progress = Progress::new(&mut on_block, self.torso.num_blocks());
        let mut tree = VoxelTree::new(coords.shallow_clone())?;
        let mut x = self.torso.enter(latent)?;
        for level in 0..num_levels {
            x = self.torso.refine(x, level, tree.finest(), scratch, &mut progress)?;
            self.subdivide(&x, level, &mut tree, scratch)?;
            progress.step()?;
            // What the last children hold is not asked for.
            if level + 1 < num_levels
                && let Some(finer) = self.torso.rise(&x, level, &tree, scratch)?
            {
                x = finer;
            }
        }
        Ok(tree.finest().coords().shallow_clone())
    }

    /// Adds the next level to the tree. Whether there is one.
    fn subdivide(&self, x: &Tensor, level: usize, tree: &mut VoxelTree, scratch: ScratchMemory) -> Result<bool> {
        let Some(up) = self.torso.up(level) else {
            return Ok(false);
        };
        tree.subdivide(&up.subdivision_logits(x)?.f_gt(0.0)?, scratch)?;
        Ok(true)
    }
}
