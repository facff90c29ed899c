//! Cuts the object out of a picture that has no transparency of its own.
//!
//! How it works: the picture goes to a perceptual colour space ([`lab`]). What the backdrop looks like is learnt from
//! the picture's border, as a smooth field where that fits ([`backdrop`]), as heaps of colour where it does not
//! ([`color_model`]), with soft cast shadows as backdrop of their own kind ([`shadow`]). A graph cut ([`cut`],
//! [`max_flow`]) parts object from backdrop, both are learnt again from the result, and so on until nothing changes
//! ([`segment`]). That happens on a small copy; finer ones move the boundary only. Specks go, holes stay where the
//! backdrop shows through ([`clean`]), the edge becomes soft ([`edge`]), and the object's colours are carried under it
//! and a little beyond ([`decontaminate`]).
//!
//! Limits: an object that blends into its backdrop along a long stretch of outline loses that stretch; hair and
//! glass are not resolved. Everything is deterministic whatever the number of threads.

mod backdrop;
mod clean;
mod color_model;
mod cut;
mod decontaminate;
mod edge;
mod evidence;
mod grid;
mod lab;
mod max_flow;
mod segment;
mod shadow;

use bozzetto_engine::{CancelToken, EngineError};
use image::{GrayImage, RgbImage};

pub(crate) use decontaminate::decontaminate;

/// A soft matte of the object in an opaque picture, `None` when the object cannot be told from its backdrop.
/// `threshold` in `[0, 1]` moves the decision: below one half more is taken for object, above it less.
pub(crate) fn remove_background(
    picture: &RgbImage,
    threshold: f32,
    cancel: &CancelToken,
) -> Result<Option<GrayImage>, EngineError> {
    cancel.check()?;
    let lab = lab::lab_image(picture);
    cancel.check()?;
    let bias = (0.5 - threshold) * 6.0;
    let Some(labels) = segment::segment(&lab, bias, cancel)? else {
        return Ok(None);
    };
    cancel.check()?;
    edge::soft_edge(picture, &labels, cancel).map(Some)
}
