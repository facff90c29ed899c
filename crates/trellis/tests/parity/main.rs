//! The models give upstream's numbers: fixtures hold what its own classes computed, see `tests/fixtures/make_*.py`.

mod birefnet;
mod decoder;
mod dino;
mod flow;
mod picture;
mod released;
mod sparse;
mod structure;
mod support;
