use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use bozzetto_asset::{Asset, PreparedView, SparseStructure, View, files};
use bozzetto_engine::{
    EngineError, EngineInfo, Event, LogLevel, ParamSpec, ParamValues, Preview, RunContext, StageCache, StageKey,
};
use image::{GrayImage, Luma, RgbImage};

use super::forecast::{NetworkSizes, condition_tokens};
use super::peak_memory::PeakMemory;
use super::preview::coords_of_structure;
use super::reporter::Reporter;
use super::trellis2::STAGES;
use super::{Forecast, Plan, splats_of_volume, structure_of_coords};
use crate::Result;
use crate::flow::FlowConfig;
use crate::networks::{Network, Networks};
use crate::params::Settings;
use crate::picture;
use crate::pipeline::{
    self, Decoded, FinerVoxels, FlowSize, HostTensor, Latent, PipelineKind, Structure, StructureStep,
};
use crate::preprocess::prepare;
use crate::torch::RandomState;

/// Steps of the structure from one preview to the next.
const PREVIEW_STEPS: usize = 3;
/// Voxels along an edge of those previews.
const PREVIEW_RESOLUTION: i64 = 32;

/// The stages of one attempt. Each key takes in the one before it.
pub(super) struct Chain<'a> {
    pub networks: &'a mut Networks,
    pub cache: &'a mut StageCache,
    pub context: &'a RunContext<'a>,
    pub info: &'a EngineInfo,
    pub params: &'a ParamValues,
    pub plan: &'a Plan,
    pub given_structure: Option<&'a SparseStructure>,
    pub secs_per_operation: &'a mut Option<f64>,
    pub peak_memory: PeakMemory,
}

/// What a stage makes, with the key of all that it was made from.
struct Keyed<T> {
    key: StageKey,
    made: Arc<T>,
}

/// What a run makes.
pub(super) struct Made {
    pub asset: Asset,
    /// Whether a network cut the object out of the picture.
    pub is_cut_out: bool,
}

/// The picture as the network sees it.
struct Picture {
    rgb: RgbImage,
    is_cut_out: bool,
}

/// The picture and what is seen in it.
struct Seen {
    key: StageKey,
    is_cut_out: bool,
    at_512: Arc<HostTensor>,
    at_1024: Option<Arc<HostTensor>>,
}

impl Seen {
    fn at(&self, size: FlowSize) -> Result<&HostTensor, EngineError> {
        let features = match size {
            FlowSize::Flow512 => Some(&self.at_512),
            FlowSize::Flow1024 => self.at_1024.as_ref(),
        };
        features.map(AsRef::as_ref).ok_or_else(|| EngineError::Internal {
            reason: "the picture was not looked at closely enough".to_owned(),
        })
    }
}

impl Chain<'_> {
    pub(super) fn run(&mut self, view: &View, seed: u64) -> Result<Made, EngineError> {
        let seen = self.features(view)?;
        let structure = self.structure(&seen, seed)?;
        let (shape, resolution) = self.shape(&seen, &structure)?;
        let material = self.material(&seen, &shape)?;
        let decoded = self.decode(&shape, &material, resolution)?;
        let splats = splats_of_volume(&decoded.volume);
        self.emit(Event::Preview(Preview::Splats(Arc::new(splats))));
        self.tell_memory();
        Ok(Made {
            asset: Asset {
                mesh: Some(decoded.mesh.clone()),
                volume: Some(decoded.volume.clone()),
                ..Asset::default()
            },
            is_cut_out: seen.is_cut_out,
        })
    }

    fn settings(&self) -> &Settings {
        &self.plan.settings
    }

    fn features(&mut self, view: &View) -> Result<Seen, EngineError> {
        let mut stage = self.begin(0);
        let sha256 = files::sha256_of_file(&view.path).map_err(|error| EngineError::BadView {
            name: view.name(),
            reason: error.to_string().trim_end_matches('.').to_owned(),
        })?;
        let cuts_out = self.settings().cuts_out;
        let key = StageKey::new("features").with_bytes(sha256.as_bytes()).with_bytes(&[
            u8::from(view.matte.inverted),
            u8::from(view.matte.ignores_alpha),
            u8::from(cuts_out),
        ]);
        let num_looks = if self.settings().kind.size() == FlowSize::Flow1024 {
            2
        } else {
            1
        };
        let picture = self.part(
            &mut stage,
            key.with_bytes(b"picture"),
            |picture: &Picture| picture.rgb.len() as u64,
            |chain, networks| {
                let picture = picture::read(view)?;
                let mut is_cut_out = false;
                let rgb = if cuts_out {
                    prepare(&picture, |opaque| {
                        is_cut_out = true;
                        pipeline::matte(networks, opaque)
                    })?
                } else {
                    picture.to_rgb8()
                };
                chain.progress("features", 1, 1 + num_looks)?;
                Ok(Picture { rgb, is_cut_out })
            },
        )?;
        self.preview_picture(view, &picture.rgb);
        let mut look = |chain: &mut Self, size: FlowSize, done| {
            let side_px = size.picture_px();
            let key = key.with_bytes(&side_px.to_le_bytes());
            chain.part(&mut stage, key, HostTensor::num_bytes, |chain, networks| {
                let features = pipeline::features(networks, &picture.rgb, side_px)?;
                chain.progress("features", done, 1 + num_looks)?;
                Ok(features)
            })
        };
        let at_512 = look(self, FlowSize::Flow512, 2)?;
        let at_1024 = (num_looks == 2)
            .then(|| look(self, FlowSize::Flow1024, 3))
            .transpose()?;
        self.end(&stage);
        Ok(Seen {
            key,
            is_cut_out: picture.is_cut_out,
            at_512,
            at_1024,
        })
    }

    fn structure(&mut self, seen: &Seen, seed: u64) -> Result<Keyed<Structure>, EngineError> {
        let mut stage = self.begin(1);
        let key = StageKey::new("structure")
            .with_key(&seen.key)
            .with_bytes(&seed.to_le_bytes())
            .with_params(self.params, "structure", &self.info.params);
        let params = self.settings().structure;
        let after_first_step = Cell::new(None);
        let features = seen.at(FlowSize::Flow512)?;
        let given = self.given_structure;
        let made = self.part(&mut stage, key, Structure::num_bytes, |chain, networks| {
            // As torch.manual_seed takes it: by its bits.
            tch::manual_seed(seed as i64);
            let random = RandomState::current()?;
            let found = pipeline::structure(networks, features, &params, &random, &mut |step: &StructureStep<'_>| {
                chain.progress("structure", step.done as u64, step.total as u64)?;
                if step.done == 1 {
                    after_first_step.set(Some(Instant::now()));
                }
                if step.done.is_multiple_of(PREVIEW_STEPS) && step.done < step.total {
                    chain.preview_structure(&step.coords(PREVIEW_RESOLUTION)?, PREVIEW_RESOLUTION);
                }
                Ok(())
            })?;
            match given {
                Some(given) => {
                    let coords = coords_of_structure(given);
                    Structure::of_coords(&coords, i64::from(given.resolution), found.random)
                }
                None => Ok(found),
            }
        })?;
        // The first step takes loading along, and much that a card does only once.
        let num_steps = params.steps as f64;
        let step_secs = after_first_step
            .get()
            .filter(|_| params.steps > 1)
            .map(|first| first.elapsed().as_secs_f64() * num_steps / (num_steps - 1.0));
        self.end(&stage);
        let resolution = self.settings().kind.structure_resolution();
        let coords = made.coords(resolution).map_err(|error| error.in_stage("structure"))?;
        self.preview_structure(&coords, resolution);
        self.forecast(coords.len(), step_secs);
        Ok(Keyed { key, made })
    }

    fn shape(&mut self, seen: &Seen, structure: &Keyed<Structure>) -> Result<(Keyed<Latent>, u32), EngineError> {
        let mut stage = self.begin(2);
        let kind = self.settings().kind;
        let sampled_key = StageKey::new("shape").with_key(&structure.key).with_params(
            self.params,
            "shape",
            &sampler_specs(&self.info.params),
        );
        let resolution = kind.structure_resolution();
        let coords = structure
            .made
            .coords(resolution)
            .map_err(|error| error.in_stage("shape"))?;
        let first_size = if kind == PipelineKind::Direct1024 {
            FlowSize::Flow1024
        } else {
            FlowSize::Flow512
        };
        let first_key = sampled_key.with_bytes(&resolution.to_le_bytes());
        let num_stages = if kind.is_cascade() { 2 } else { 1 };
        let random = &structure.made.random;
        let first = self.sampled_shape(
            &mut stage,
            first_key,
            (first_size, seen),
            &coords,
            random,
            (0, num_stages),
        )?;
        if !kind.is_cascade() {
            self.end(&stage);
            return Ok((
                Keyed {
                    key: first_key,
                    made: first,
                },
                kind.resolution(),
            ));
        }
        let finer_key = first_key.with_bytes(b"finer");
        let finer = self.part(&mut stage, finer_key, FinerVoxels::num_bytes, |chain, networks| {
            networks.load(&[Network::ShapeDecoder])?;
            let scratch = chain.scratch(networks.device());
            pipeline::finer_voxels(networks, &first, scratch, &mut |_, _| {
                Ok(chain.context.cancel.check()?)
            })
        })?;
        let (most, wanted) = (self.settings().max_num_tokens, kind.resolution());
        let (coords, resolution) = finer.at(wanted, most).map_err(|error| error.in_stage("shape"))?;
        if resolution != wanted {
            let message = format!(
                "The shape is too intricate for {wanted} and is made at {resolution}. Raise 'Most tokens' if there is memory left."
            );
            self.log(LogLevel::Warning, message);
        }
        self.log(LogLevel::Info, format!("The shape has {} tokens.", coords.len()));
        self.preview_structure(&coords, i64::from(resolution / 16));
        let key = finer_key.with_bytes(&resolution.to_le_bytes());
        let source = (FlowSize::Flow1024, seen);
        let made = self.sampled_shape(&mut stage, key, source, &coords, &first.random, (1, num_stages))?;
        self.end(&stage);
        Ok((Keyed { key, made }, resolution))
    }

    /// Samples a shape as one of `num_stages` parts of the stage, `index` of which are done.
    fn sampled_shape(
        &mut self,
        stage: &mut Stage,
        key: StageKey,
        (size, seen): (FlowSize, &Seen),
        coords: &HostTensor<i32>,
        random: &RandomState,
        (index, num_stages): (u64, u64),
    ) -> Result<Arc<Latent>, EngineError> {
        let params = self.settings().shape;
        let features = seen.at(size)?;
        self.part(stage, key, Latent::num_bytes, |chain, networks| {
            pipeline::shape(networks, size, features, coords, &params, random, &mut |done, total| {
                let (done, total) = (done as u64, total as u64);
                chain.progress("shape", index * total + done, num_stages * total)
            })
        })
    }

    fn material(&mut self, seen: &Seen, shape: &Keyed<Latent>) -> Result<Keyed<Latent>, EngineError> {
        let mut stage = self.begin(3);
        let key =
            StageKey::new("material")
                .with_key(&shape.key)
                .with_params(self.params, "material", &self.info.params);
        let (size, params) = (self.settings().kind.size(), self.settings().material);
        let features = seen.at(size)?;
        let made = self.part(&mut stage, key, Latent::num_bytes, |chain, networks| {
            let random = &shape.made.random;
            pipeline::material(
                networks,
                size,
                features,
                &shape.made,
                &params,
                random,
                &mut |done, total| chain.progress("material", done as u64, total as u64),
            )
        })?;
        self.end(&stage);
        Ok(Keyed { key, made })
    }

    fn decode(
        &mut self,
        shape: &Keyed<Latent>,
        material: &Keyed<Latent>,
        resolution: u32,
    ) -> Result<Arc<Decoded>, EngineError> {
        let mut stage = self.begin(4);
        let key = StageKey::new("decode").with_key(&material.key);
        let made = self.part(&mut stage, key, decoded_bytes, |chain, networks| {
            networks.load(&[Network::ShapeDecoder])?;
            let scratch = chain.scratch(networks.device());
            pipeline::decode(
                networks,
                &shape.made,
                &material.made,
                resolution,
                scratch,
                &mut |done, total| chain.progress("decode", done as u64, total as u64),
            )
        })?;
        self.end(&stage);
        if made.mesh.triangles.is_empty() {
            return Err(EngineError::NoResult {
                reason: "The shape has no surface".to_owned(),
                advice: "Try another seed or more shape steps.".to_owned(),
            });
        }
        Ok(made)
    }

    /// Takes a part of a stage from the cache, or makes it.
    fn part<T: Send + Sync + 'static>(
        &mut self,
        stage: &mut Stage,
        key: StageKey,
        num_bytes: impl FnOnce(&T) -> u64,
        make: impl FnOnce(&Reporter<'_>, &mut Networks) -> Result<T>,
    ) -> Result<Arc<T>, EngineError> {
        // A stage is reused when all of its parts are, which is told at its end.
        let quiet = RunContext {
            cancel: self.context.cancel.clone(),
            emit: &|_| {},
        };
        let reporter = Reporter {
            context: self.context,
            device: self.networks.device(),
            chunk_divisor: self.plan.chunk_divisor,
        };
        let is_made = Cell::new(false);
        let networks = &mut *self.networks;
        let output = self.cache.get_or_run_sized(stage.id, key, &quiet, num_bytes, || {
            is_made.set(true);
            make(&reporter, networks).map_err(|error| error.in_stage(stage.id))
        })?;
        stage.num_made += usize::from(is_made.get());
        Ok(output)
    }

    fn begin(&self, index: usize) -> Stage {
        self.context.stage(self.info, index);
        PeakMemory::start(self.networks.device());
        Stage {
            id: STAGES[index].0,
            num_made: 0,
            started: Instant::now(),
        }
    }

    fn end(&mut self, stage: &Stage) {
        let peak = PeakMemory::now(self.networks.device());
        self.peak_memory = self.peak_memory.max(peak.unwrap_or_default());
        if stage.num_made == 0 {
            self.emit(Event::Reused {
                stage: stage.id.to_owned(),
            });
            return;
        }
        let (id, secs) = (stage.id, stage.started.elapsed().as_secs_f32());
        let message = match peak {
            Some(peak) => format!("Stage '{id}' took {secs:.2} s; {peak}."),
            None => format!("Stage '{id}' took {secs:.2} s."),
        };
        self.log(LogLevel::Debug, message);
    }

    fn emit(&self, event: Event) {
        (self.context.emit)(event);
    }

    fn log(&self, level: LogLevel, message: String) {
        self.emit(Event::Log { level, message });
    }

    /// Says how much of the graphics card the run took.
    fn tell_memory(&self) {
        if self.networks.device().is_cuda() {
            self.log(LogLevel::Info, format!("In this run {}.", self.peak_memory));
        }
    }

    fn preview_structure(&self, coords: &HostTensor<i32>, resolution: i64) {
        let structure = structure_of_coords(coords, resolution as u32);
        self.emit(Event::Preview(Preview::Structure(Arc::new(structure))));
    }

    /// The object alone on black: there is nothing left to cut out of it.
    fn preview_picture(&self, view: &View, picture: &RgbImage) {
        let prepared = PreparedView {
            name: view.name(),
            color: Arc::new(picture.clone()),
            matte: Arc::new(GrayImage::from_pixel(
                picture.width(),
                picture.height(),
                Luma([u8::MAX]),
            )),
            direction: view.direction,
            camera: view.camera,
            weight: view.weight,
        };
        self.emit(Event::Preview(Preview::Views(vec![prepared])));
    }

    /// Says what the rest of the run takes. `structure_secs` is what the structure's steps took, if it was made just now.
    fn forecast(&mut self, num_coarse: usize, structure_secs: Option<f64>) {
        let Ok((structure, flow)) = self.flow_configs() else {
            return;
        };
        if let Some(secs) = structure_secs {
            let tokens = (structure.resolution as f64).powi(3);
            let one = structure.operations(tokens, condition_tokens(FlowSize::Flow512));
            *self.secs_per_operation = Some(secs / (one * self.settings().structure.num_evaluations() as f64));
        }
        let bytes_of = |network| {
            let metadata = self.networks.path(network).ok().and_then(|path| path.metadata().ok());
            metadata.map_or(0.0, |metadata| metadata.len() as f64)
        };
        let sizes = NetworkSizes {
            flow: &flow,
            flow_bytes: bytes_of(self.settings().kind.size().shape_flow()),
            decoder_bytes: bytes_of(Network::ShapeDecoder),
            number_bytes: if self.networks.device().is_cuda() { 2.0 } else { 4.0 },
        };
        let forecast = Forecast::new(num_coarse, self.settings(), &sizes);
        self.log(LogLevel::Info, forecast.sentence(*self.secs_per_operation));
    }

    fn flow_configs(&self) -> Result<(FlowConfig, FlowConfig)> {
        let shape = self.settings().kind.size().shape_flow();
        Ok((
            self.networks.config(Network::StructureFlow)?,
            self.networks.config(shape)?,
        ))
    }
}

/// A stage that runs.
struct Stage {
    id: &'static str,
    /// Parts that were not kept from an earlier run.
    num_made: usize,
    started: Instant,
}

/// The parameters that a sampler takes: those that say how fine a shape becomes are not among them.
fn sampler_specs(specs: &[ParamSpec]) -> Vec<ParamSpec> {
    let others = ["shape.pipeline_type", "shape.max_num_tokens"];
    specs
        .iter()
        .filter(|spec| !others.contains(&spec.key.as_str()))
        .cloned()
        .collect()
}

fn decoded_bytes(decoded: &Decoded) -> u64 {
    let mesh = &decoded.mesh;
    let num_bytes = size_of_val(mesh.positions.as_slice())
        + size_of_val(mesh.triangles.as_slice())
        + size_of_val(decoded.volume.coords.as_slice())
        + size_of_val(decoded.volume.samples.as_slice());
    num_bytes as u64
}
