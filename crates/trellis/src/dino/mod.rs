//! DINOv3, a vision transformer: a picture to features of its patches.
//!
//! One model for the files of the libraries transformers and timm, which name and cut the same tensors differently. Taken as
//! `modules/image_feature_extractor.py` of microsoft/TRELLIS.2 at 5565d24 does: after all layers, with a norm that nothing was
//! learned for in place of the model's own last one.

mod block;
mod config;
mod model;
mod rotary;

pub use config::{DinoConfig, DinoLayout};
pub use model::DinoModel;
