use tch::{Kind, Tensor};

use super::conv_next::ConvNextBlock;
use super::norm::RowNorm;
use super::up_block::UpBlock;
use super::{DecoderConfig, OnBlock};
use crate::Result;
use crate::layers::Linear;
use crate::sparse::{Level, ScratchMemory, VoxelTree, padded};
use crate::weights::Weights;

/// What both decoders are made of. Input and output layers compute in f32 whatever `kind` the blocks have.
pub(super) struct Torso {
    from_latent: Linear,
    levels: Vec<LevelBlocks>,
    output_layer: Linear,
    out_channels: i64,
    kind: Kind,
}

struct LevelBlocks {
    blocks: Vec<ConvNextBlock>,
    /// To the next level, if there is one.
    up: Option<UpBlock>,
}

impl Torso {
    pub fn new(
        weights: &Weights<'_>,
        config: &DecoderConfig,
        out_channels: i64,
        decides_subdivision: bool,
        kind: Kind,
    ) -> Result<Self> {
        config.check()?;
        let channels = &config.channels;
        let mut levels = Vec::new();
        for (index, (&width, &num_blocks)) in channels.iter().zip(&config.num_blocks).enumerate() {
            let weights = weights.at("blocks").at(index);
            let blocks = (0..num_blocks).map(|block| ConvNextBlock::new(&weights.at(block), width, kind));
            let blocks = blocks.collect::<Result<_>>()?;
            let up = channels
                .get(index + 1)
                .map(|&finer| UpBlock::new(&weights.at(num_blocks), (width, finer), decides_subdivision, kind));
            levels.push(LevelBlocks {
                blocks,
                up: up.transpose()?,
            });
        }
        let finest = channels[channels.len() - 1];
        Ok(Self {
            from_latent: Linear::new(
                &weights.at("from_latent"),
                config.latent_channels,
                channels[0],
                Kind::Float,
            )?,
            levels,
            out_channels,
            output_layer: Linear::new(&weights.at("output_layer"), finest, out_channels, Kind::Float)?,
            kind,
        })
    }

    pub fn num_levels(&self) -> usize {
        self.levels.len()
    }

    pub fn num_blocks(&self) -> usize {
        self.levels
            .iter()
            .map(|level| level.blocks.len() + usize::from(level.up.is_some()))
            .sum()
    }

    /// `latent`: `[N, latent channels]` f32. Returns the first level's features, `[N + 1, C]`.
    pub fn enter(&self, latent: &Tensor) -> Result<Tensor> {
        padded(&self.from_latent.forward(latent)?.f_to_kind(self.kind)?)
    }

    /// The blocks of a level that keep its voxels.
    pub fn refine(
        &self,
        mut x: Tensor,
        index: usize,
        level: &Level,
        scratch: ScratchMemory,
        progress: &mut Progress<'_, '_>,
    ) -> Result<Tensor> {
        for block in &self.levels[index].blocks {
            progress.step()?;
            x = block.forward(&x, level, scratch)?;
        }
        Ok(x)
    }

    /// The block that leads to the next level, where the decoder decides.
    pub fn up(&self, index: usize) -> Option<&UpBlock> {
        self.levels[index].up.as_ref()
    }

    /// From `x` of a level of `tree` to the next, which is there already.
    pub fn rise(&self, x: &Tensor, index: usize, tree: &VoxelTree, scratch: ScratchMemory) -> Result<Option<Tensor>> {
        let levels = tree.levels();
        match (
            &self.levels[index].up,
            tree.subdivisions().get(index),
            levels.get(index + 1),
        ) {
            (Some(up), Some(subdivision), Some(children)) => {
                Ok(Some(up.forward(x, &levels[index], subdivision, children, scratch)?))
            }
            _ => Ok(None),
        }
    }

    /// `x`: `[M + 1, C]` of the finest level. Returns `[M, out]` f32.
    pub fn leave(&self, x: &Tensor, scratch: ScratchMemory) -> Result<Tensor> {
        let (num_voxels, channels) = (x.size()[0] - 1, x.size()[1]);
        let out = Tensor::f_empty([num_voxels, self.out_channels], (Kind::Float, x.device()))?;
        let norm = RowNorm::plain(super::OUTPUT_EPSILON);
        for (start, length) in scratch.chunks(num_voxels, 3 * channels as usize * size_of::<f32>()) {
            let normed = Tensor::f_empty([length, channels], (Kind::Float, x.device()))?;
            norm.forward_into(&x.f_narrow(0, start, length)?, &normed, false)?;
            let rows = self.output_layer.forward(&normed)?;
            out.f_narrow(0, start, length)?.f_copy_(&rows)?;
        }
        Ok(out)
    }
}

/// Counts blocks.
pub(super) struct Progress<'a, 'f> {
    on_block: &'a mut OnBlock<'f>,
    done: usize,
    total: usize,
}

impl<'a, 'f> Progress<'a, 'f> {
    pub fn new(on_block: &'a mut OnBlock<'f>, total: usize) -> Self {
        Self {
            on_block,
            done: 0,
            total,
        }
    }

    pub fn step(&mut self) -> Result<()> {
        (self.on_block)(self.done, self.total)?;
        self.done += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::fixture::{Fixture, assert_close};
    use crate::torch::load_cuda;

    #[test]
    fn every_block_gives_upstreams_numbers() {
        let config = DecoderConfig::tiny();
        for name in ["shape_decoder", "material_decoder"] {
            let decides = name == "shape_decoder";
            let fixture = Fixture::open(name);
            let out_channels = fixture.tensor("voxels.features").size()[1];
            let torso = fixture.load(|weights| Torso::new(weights, &config, out_channels, decides, Kind::Float));
            let torso = torso.expect("a decoder");
            // Each block starts from what upstream's block before it made.
            let mut x = torso.enter(&fixture.tensor("latent.features")).expect("features");
            let mut tree = VoxelTree::new(fixture.tensor("latent.coords")).expect("voxels");
            let scratch = ScratchMemory::bytes(1 << 20);
            for (index, level) in torso.levels.iter().enumerate() {
                let expected = |block: usize| fixture.tensor(&format!("out.blocks.{index}.{block}"));
                for (number, block) in level.blocks.iter().enumerate() {
                    let found = block.forward(&x, tree.finest(), scratch).expect("numbers");
                    let num_voxels = tree.finest().num_voxels();
                    assert_close(
                        &found.narrow(0, 0, num_voxels),
                        &expected(number),
                        &format!("block {index}.{number}"),
                    );
                    let last = f64::try_from(found.narrow(0, num_voxels, 1).abs().max()).expect("a number");
                    assert_eq!(last, 0.0, "the row of zeros");
                    x = padded(&expected(number)).expect("a row more");
                }
                let Some(up) = &level.up else { continue };
                let logits = fixture.tensor(&format!("subdivision.{index}"));
                if decides {
                    let found = up.subdivision_logits(&x).expect("numbers");
                    assert_close(&found, &logits, &format!("logits {index}"));
                } else {
                    assert!(up.subdivision_logits(&x).is_err());
                }
                tree.subdivide(&logits.gt(0.0), scratch).expect("children");
                let found = torso
                    .rise(&x, index, &tree, scratch)
                    .expect("numbers")
                    .expect("a finer level");
                let found = found.narrow(0, 0, tree.finest().num_voxels());
                let number = level.blocks.len();
                assert_close(&found, &expected(number), &format!("block {index}.{number}"));
                x = padded(&expected(number)).expect("a row more");
            }
        }
    }

    #[test]
    fn on_a_card_a_decoder_is_the_processors_but_for_rounding() {
        if load_cuda() == Device::Cpu {
            println!("There is no graphics card: what the decoder does there is left out.");
            return;
        }
        let config = DecoderConfig {
            channels: vec![256, 128, 64],
            num_blocks: vec![2, 2, 1],
            latent_channels: 8,
        };
        let fixture = Fixture::open("sparse");
        let num_voxels = fixture.tensor("coords").size()[0];
        let latent = Tensor::randn([num_voxels, 8], (Kind::Float, Device::Cpu));
        let [cpu, card] = [(Device::Cpu, Kind::Float), (Device::Cuda(0), Kind::Half)].map(|(device, kind)| {
            let torso = Torso::new(&Weights::drawn(device), &config, 6, false, kind).expect("weights");
            let scratch = ScratchMemory::bytes(1 << 22);
            let mut tree = VoxelTree::new(fixture.tensor("coords").to_device(device)).expect("voxels");
            for level in 0..2 {
                let count = tree.finest().num_voxels() * 8;
                let mask = Tensor::arange(count, (Kind::Int64, device)) * 2_654_435_761_i64;
                let mask = mask.bitwise_right_shift_tensor_scalar(10 + level).bitwise_and(1).gt(0);
                tree.subdivide(&mask.view([-1, 8]), scratch).expect("children");
            }
            let mut x = torso.enter(&latent.to_device(device)).expect("features");
            let mut told = |_, _| Ok(());
            let mut on_block: OnBlock<'_> = &mut told;
            let mut progress = Progress::new(&mut on_block, torso.num_blocks());
            for (index, level) in tree.levels().iter().enumerate() {
                x = torso.refine(x, index, level, scratch, &mut progress).expect("features");
                if let Some(finer) = torso.rise(&x, index, &tree, scratch).expect("features") {
                    x = finer;
                }
            }
            torso.leave(&x, scratch).expect("numbers").to_device(Device::Cpu)
        });
        let difference = (&card - &cpu).norm() / cpu.norm();
        let error = f64::try_from(difference).expect("a number");
        println!("half precision is {error:e} off");
        assert!(error < 5e-3, "{error:e}");
    }
}
