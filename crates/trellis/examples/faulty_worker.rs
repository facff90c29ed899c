//! A worker of this crate whose engine misbehaves in one way, once: started again, it is healthy.
//!
//! The fault suite of the engine crate (`crates/engine/tests/faults`) starts it and says by variables which fault to have.
//! It is served as `bozzetto-trellis worker` serves, and libtorch is at work in it before every run.

#[path = "../../engine/tests/faults/faulty_engine.rs"]
mod faulty_engine;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use bozzetto_asset::Asset;
use bozzetto_engine::{Engine, EngineError, EngineInfo, Job, RunContext, WorkerStreams};
use faulty_engine::{FaultyEngine, die, sleep, take_fault};
use tch::{Device, Kind, Tensor};

/// Longer than the suite waits for a word from a worker that says none.
const LONG: Duration = Duration::from_millis(4500);

fn main() -> ExitCode {
    let fault = take_fault().unwrap_or_default();
    match fault.as_str() {
        "exits at once" => return die(3),
        "sleeps" => return sleep(),
        _ => {}
    }
    let served = WorkerStreams::take().and_then(|streams| streams.serve(Box::new(NativeEngine::new(&fault))));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Computes, then has its fault.
struct NativeEngine {
    computing: Duration,
    inner: FaultyEngine,
}

impl NativeEngine {
    fn new(fault: &str) -> Self {
        let is_long = fault == "computes without a word";
        Self {
            computing: if is_long { LONG } else { Duration::ZERO },
            inner: FaultyEngine::new(if is_long { "" } else { fault }),
        }
    }
}

impl Engine for NativeEngine {
    fn info(&self) -> EngineInfo {
        self.inner.info()
    }

    fn run(&mut self, job: &Job, context: &RunContext<'_>) -> Result<Asset, EngineError> {
        compute(std::mem::take(&mut self.computing));
        self.inner.run(job, context)
    }
}

/// Multiplies matrices in all of libtorch's threads: once, and on for so long.
fn compute(duration: Duration) {
    let _no_gradients = tch::no_grad_guard();
    let ones = Tensor::ones([256, 256], (Kind::Float, Device::Cpu));
    let started = Instant::now();
    loop {
        let product = ones.matmul(&ones);
        assert_eq!(product.double_value(&[255, 255]), 256.0);
        if started.elapsed() >= duration {
            return;
        }
    }
}
