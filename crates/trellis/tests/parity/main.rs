//! The models give upstream's numbers: fixtures hold what its own classes computed, see `tests/fixtures/make_*.py`.

mod birefnet;
mod decoder;
mod fixture;
mod picture;
mod sparse;
mod support;
