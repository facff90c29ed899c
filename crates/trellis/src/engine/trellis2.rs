use std::path::PathBuf;

use bozzetto_asset::{Asset, SparseStructure, View};
use bozzetto_engine::{
    CancelToken, Engine, EngineError, EngineInfo, Event, Job, LogLevel, PartLicence, RunContext, StageCache, StageInfo,
};
use tch::Device;

use super::Plan;
use super::chain::{Chain, Made};
use super::hashes::WeightHashes;
use super::peak_memory::PeakMemory;
use crate::layers::can_compute_in_eight_bits;
use crate::networks::{Network, Networks, TRELLIS2};
use crate::params::{Settings, specs};
use crate::torch::load_cuda;
use crate::weights::Library;

/// Outputs of stages that are kept between runs, in bytes.
const CACHE_BYTES: u64 = 1 << 30;
/// Ids of the stages in their order, with what the artist reads.
pub(super) const STAGES: [(&str, &str); 5] = [
    ("features", "Looking at the picture"),
    ("structure", "Finding the structure"),
    ("shape", "Forming the shape"),
    ("material", "Finding the materials"),
    ("decode", "Building the surface"),
];

/// TRELLIS.2: one picture to a mesh with materials.
pub struct Trellis2Engine {
    library: Library,
    device: Device,
    networks: Option<Networks>,
    cache: StageCache,
    /// In place of those that are found.
    structure: Option<SparseStructure>,
    hashes: WeightHashes,
    /// Whether the device has linear layers in 8 bits, once it was tried.
    has_eight_bits: Option<bool>,
    /// Measured in the last structure stage.
    secs_per_operation: Option<f64>,
}

impl Trellis2Engine {
    /// With weights from a folder of one's own, or from the Hugging Face cache. Loads libtorch's half for graphics cards where it
    /// is there.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self::on_device(Library::new(TRELLIS2, folder), load_cuda())
    }

    /// With weights of a library, on a device.
    pub fn on_device(library: Library, device: Device) -> Self {
        Self {
            library,
            device,
            networks: None,
            cache: StageCache::with_capacity_bytes(CACHE_BYTES),
            structure: None,
            hashes: WeightHashes::default(),
            has_eight_bits: None,
            secs_per_operation: None,
        }
    }

    /// Goes on with this structure whatever is found, for measurements with random weights. Finding one takes its time anyway.
    #[must_use]
    pub fn with_structure(mut self, structure: Option<SparseStructure>) -> Self {
        self.structure = structure;
        self
    }

    /// Runs once, as planned.
    fn attempt(&mut self, job: &Job, view: &View, plan: &Plan, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        let info = self.info();
        let networks = match &mut self.networks {
            Some(networks) => networks,
            absent => {
                let networks = Networks::new(self.library.clone(), self.device);
                absent.insert(networks.map_err(|error| error.in_stage("features"))?)
            }
        };
        networks.listen_to(&context.cancel);
        networks.keep_all(plan.settings.keeps_networks);
        networks.use_eight_bit_flows(plan.settings.is_eight_bit);
        let needed = plan.settings.kind.networks();
        networks.check(&needed).map_err(|error| error.in_stage("features"))?;
        let path = |network: &Network| networks.path(*network).ok();
        let mut paths: Vec<_> = needed.iter().filter_map(path).collect();
        let cutter = path(&Network::BiRefNet).filter(|_| plan.settings.cuts_out);
        paths.extend(cutter.clone());
        self.hashes.begin(&paths);
        let mut chain = Chain {
            networks,
            cache: &mut self.cache,
            context,
            info: &info,
            params: &job.params,
            plan,
            given_structure: self.structure.as_ref(),
            secs_per_operation: &mut self.secs_per_operation,
            peak_memory: PeakMemory::default(),
        };
        let Made { mut asset, is_cut_out } = chain.run(view, job.seed)?;
        // The picture may have been cut out already.
        paths.retain(|path| is_cut_out || Some(path) != cutter.as_ref());
        asset.provenance.weights = self.hashes.of(&paths);
        Ok(asset)
    }

    fn has_eight_bits(&mut self) -> bool {
        let device = self.device;
        *self
            .has_eight_bits
            .get_or_insert_with(|| can_compute_in_eight_bits(device))
    }

    /// Makes room before another attempt.
    fn make_room(&mut self) {
        if let Some(networks) = &mut self.networks {
            networks.unload();
        }
    }
}

/// Of the weights, which don't come with the program.
fn licences() -> Vec<PartLicence> {
    let of = |(part, licence, repository): (&str, &str, &str)| PartLicence {
        part: part.to_owned(),
        licence: licence.to_owned(),
        permits_commercial_use: true,
        page: format!("https://huggingface.co/{repository}"),
    };
    [
        ("TRELLIS.2 weights", "MIT", "microsoft/TRELLIS.2-4B"),
        ("TRELLIS weights", "MIT", "microsoft/TRELLIS-image-large"),
        (
            "DINOv3 weights",
            "DINOv3 License",
            "facebook/dinov3-vitl16-pretrain-lvd1689m",
        ),
        ("BiRefNet weights", "MIT", "ZhengPeng7/BiRefNet"),
    ]
    .map(of)
    .to_vec()
}

impl Engine for Trellis2Engine {
    fn info(&self) -> EngineInfo {
        EngineInfo {
            id: "trellis2".to_owned(),
            label: "TRELLIS.2".to_owned(),
            summary: "Makes a detailed mesh with materials from one picture, on this computer.".to_owned(),
            stages: STAGES
                .map(|(id, label)| StageInfo {
                    id: id.to_owned(),
                    label: label.to_owned(),
                })
                .to_vec(),
            params: specs(),
            max_views: Some(1),
            uses_seed: true,
            device: match self.device {
                Device::Cpu => format!("CPU, {} threads", tch::get_num_threads()),
                _ => "Graphics card".to_owned(),
            },
            needs_mesh: false,
            licences: licences(),
        }
    }

    /// Says what is missing before a job waits for it.
    fn prepare(&mut self, cancel: &CancelToken) -> Result<EngineInfo, EngineError> {
        cancel.check()?;
        Ok(self.info())
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        let _no_gradients = tch::no_grad_guard();
        let job = job.validated(&self.info())?;
        let view = job.enabled_views().next().ok_or(EngineError::NoViews)?;
        let tell = |message| {
            (context.emit)(Event::Log {
                level: LogLevel::Warning,
                message,
            });
        };
        let mut settings = Settings::from_values(&job.params);
        if settings.is_eight_bit && !self.has_eight_bits() {
            settings.is_eight_bit = false;
            tell("This device has no 8-bit layers (FP8), so they are computed in full precision.".to_owned());
        }
        let plan = Plan::new(settings);
        with_less_and_less(plan, tell, |plan, is_again| {
            if is_again {
                self.make_room();
            }
            self.attempt(&job, view, plan, context)
        })
    }

    fn release(&mut self) {
        self.cache.clear();
        self.make_room();
    }
}

/// Carries a plan out, and a lighter one whenever memory ran out, down to the lightest. `attempt` is told whether it follows
/// another; `tell` hears of each.
fn with_less_and_less<T>(
    mut plan: Plan,
    tell: impl Fn(String),
    mut attempt: impl FnMut(&Plan, bool) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let mut is_again = false;
    loop {
        let error = match attempt(&plan, is_again) {
            Ok(made) => return Ok(made),
            Err(error) => error,
        };
        let EngineError::OutOfMemory { device, stage } = &error else {
            return Err(error);
        };
        let Some((lighter, change)) = plan.lighter(stage) else {
            return Err(error);
        };
        tell(format!(
            "{device} ran out of memory in stage '{stage}'. It is tried again: {change}."
        ));
        plan = lighter;
        is_again = true;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use bozzetto_engine::ParamValues;

    use super::*;
    use crate::pipeline::PipelineKind;

    fn out_of_memory(stage: &str) -> EngineError {
        EngineError::OutOfMemory {
            device: "The graphics card".to_owned(),
            stage: stage.to_owned(),
        }
    }

    fn plan() -> Plan {
        Plan::new(Settings::from_values(&ParamValues::default()))
    }

    #[test]
    fn a_run_that_ran_out_of_memory_goes_on_with_less_and_says_so() {
        let told = RefCell::new(Vec::new());
        let mut attempts = Vec::new();
        let made = with_less_and_less(
            plan(),
            |line| told.borrow_mut().push(line),
            |plan, is_again| {
                attempts.push((plan.chunk_divisor, plan.settings.kind, is_again));
                if plan.settings.kind == PipelineKind::Direct512 {
                    Ok(7)
                } else {
                    Err(out_of_memory("decode"))
                }
            },
        );
        assert_eq!(made, Ok(7));
        let cascade = PipelineKind::Cascade1024;
        let expected = [
            (1, cascade, false),
            (4, cascade, true),
            (16, cascade, true),
            (16, PipelineKind::Direct512, true),
        ];
        assert_eq!(attempts, expected);
        let told = told.into_inner();
        assert_eq!(told.len(), 3);
        assert!(
            told[2].contains("The graphics card") && told[2].contains("lowered to 512"),
            "{told:?}"
        );
    }

    #[test]
    fn the_last_plan_fails_with_the_error_and_other_errors_are_not_tried_again() {
        let fails = |error: EngineError| {
            let mut num_attempts = 0;
            let result: Result<(), _> = with_less_and_less(plan(), drop, |_, _| {
                num_attempts += 1;
                Err(error.clone())
            });
            assert_eq!(result, Err(error));
            num_attempts
        };
        assert_eq!(fails(out_of_memory("material")), 2, "at 1024, and at 512");
        assert_eq!(fails(EngineError::Cancelled), 1);
    }
}
