//! Sets of random weights in the released layout: tiny ones drive the whole engine in seconds on a processor, and ones as
//! large as the released show what times and memory a computer needs, before 16 GB are fetched.
//!
//! What they make means nothing, but there is always something: the structure's decoder is biased so that voxels lie along
//! the edges of the cube alone, and which ones depends on the noise; the shape's decoder subdivides each into flat pieces.

mod description;
mod size;

pub use size::Size;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use tch::Kind;

use crate::Result;
use crate::birefnet::BiRefNet;
use crate::decoder::{MaterialDecoder, ShapeDecoder};
use crate::dino::{DinoLayout, DinoModel};
use crate::flow::{SlatFlow, StructureFlow};
use crate::structure::StructureDecoder;
use crate::weights::{Adjustment, RandomWeights, TensorSpec, record, write_whole};

/// Writes a set below `folder`, as [`crate::weights::Library`] finds it there.
pub fn make(folder: &Path, size: Size) -> Result<()> {
    let pipeline = description::pipeline(size.latent_channels() as usize);
    write_json(&folder.join("pipeline.json"), &pipeline)?;
    flows(folder, size)?;
    structure_decoder(folder, size)?;
    decoders(folder, size)?;
    companions(folder, size)
}

fn flows(folder: &Path, size: Size) -> Result<()> {
    let channels = size.structure_latent_channels();
    let structure = size.flow(16, channels, channels);
    let specs = record(|weights| StructureFlow::new(weights, &structure, Kind::Float))?;
    let stem = description::STRUCTURE_FLOW;
    write_model(
        folder,
        stem,
        "SparseStructureFlowModel",
        &structure,
        &specs,
        Kind::BFloat16,
        RandomWeights::of_name(stem),
    )?;
    let latent = size.latent_channels();
    for (stem, resolution, is_material) in [
        (description::SHAPE_FLOW_512, 32, false),
        (description::SHAPE_FLOW_1024, 64, false),
        (description::MATERIAL_FLOW_512, 32, true),
        (description::MATERIAL_FLOW_1024, 64, true),
    ] {
        let config = size.flow(resolution, if is_material { 2 * latent } else { latent }, latent);
        let specs = record(|weights| SlatFlow::new(weights, &config, Kind::Float))?;
        write_model(
            folder,
            stem,
            "SLatFlowModel",
            &config,
            &specs,
            Kind::BFloat16,
            RandomWeights::of_name(stem),
        )?;
    }
    Ok(())
}

fn structure_decoder(folder: &Path, size: Size) -> Result<()> {
    let config = size.structure_decoder();
    let last = config.channels[config.channels.len() - 1] as usize;
    let specs = record(|weights| StructureDecoder::new(weights, &config, Kind::Float))?;
    // The last convolution sums what is 0.9 on average everywhere, with a minus: the fewer of its 27 places lie within the
    // cube, the less. At a corner there are 8 (7.3), along an edge 12 (10.9), at a face 18 (16.4). Channels weigh
    // differently, so that the sum varies along an edge, by 0.3.
    let weights = (0..last).flat_map(|channel| {
        let weight = -(0.4 + 1.2 * channel as f32 / (last - 1) as f32) / last as f32;
        std::iter::repeat_n(weight, 27)
    });
    let stem = description::STRUCTURE_DECODER;
    let random = RandomWeights::of_name(stem)
        .with("out_layer.0.weight", Adjustment::Repeated(vec![1.0]))
        .with("out_layer.0.bias", Adjustment::Repeated(vec![1.0]))
        .with("out_layer.2.weight", Adjustment::Repeated(weights.collect()))
        .with("out_layer.2.bias", Adjustment::Repeated(vec![10.5]));
    write_model(
        folder,
        stem,
        "SparseStructureDecoder",
        &config,
        &specs,
        Kind::Half,
        random,
    )
}

fn decoders(folder: &Path, size: Size) -> Result<()> {
    let config = size.decoder();
    let stem = description::SHAPE_DECODER;
    let mut shape_weights = RandomWeights::of_name(stem).with("to_subdiv.weight", Adjustment::Scaled(0.2));
    // Rows of two or squares of four: each child whose logit is shifted up is there.
    for (level, num_children) in size.num_children().into_iter().enumerate() {
        let logits = (0..8).map(|child| if child < num_children { 4.0 } else { -4.0 });
        let ending = format!("blocks.{level}.{}.to_subdiv.bias", config.num_blocks[level]);
        shape_weights = shape_weights.with(&ending, Adjustment::Repeated(logits.collect()));
    }
    // Edges along the third axis cross the surface: those are the ones that flat pieces can make quads of.
    let head = vec![0.0, 0.0, 0.0, -2.0, -2.0, 2.0, 0.5];
    shape_weights = shape_weights.with("output_layer.bias", Adjustment::Repeated(head));
    let specs = record(|weights| ShapeDecoder::new(weights, &config, Kind::Float))?;
    write_model(
        folder,
        stem,
        "FlexiDualGridVaeDecoder",
        &config,
        &specs,
        Kind::Half,
        shape_weights,
    )?;
    let stem = description::MATERIAL_DECODER;
    let specs = record(|weights| MaterialDecoder::new(weights, &config, Kind::Float))?;
    write_model(
        folder,
        stem,
        "SparseUnetVaeDecoder",
        &config,
        &specs,
        Kind::Half,
        RandomWeights::of_name(stem),
    )
}

/// The networks that come from other repositories.
fn companions(folder: &Path, size: Size) -> Result<()> {
    let dino = size.dino();
    let place = folder.join(description::DINO);
    let specs = record(|weights| DinoModel::new(weights, &dino, DinoLayout::Timm))?;
    write_json(&place.join("config.json"), &dino)?;
    RandomWeights::of_name(description::DINO).write(&place.join("model.safetensors"), &specs, Kind::Float)?;

    let specs = record(|weights| BiRefNet::new(weights, &size.birefnet(), Kind::Float))?;
    // Most of a picture is the object, whatever it shows.
    let mut weights =
        RandomWeights::of_name(description::BIREFNET).with("conv_out1.0.bias", Adjustment::Repeated(vec![4.0]));
    let path = folder.join(description::BIREFNET).join("model.safetensors");
    weights.write(&path, &specs, Kind::Half)
}

fn write_model(
    folder: &Path,
    stem: &str,
    class: &'static str,
    config: &impl Serialize,
    specs: &BTreeMap<String, TensorSpec>,
    kind: Kind,
    mut random: RandomWeights,
) -> Result<()> {
    let description = serde_json::json!({ "name": class, "args": config });
    write_json(&folder.join(format!("{stem}.json")), &description)?;
    random.write(&folder.join(format!("{stem}.safetensors")), specs, kind)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| crate::TrellisError::Invalid(error.to_string()))?;
    write_whole(path, &text)
}
