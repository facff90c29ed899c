use image::{GrayImage, RgbImage};
use tch::{Kind, Tensor};

use super::HostTensor;
use crate::Result;
use crate::birefnet::{BiRefNet, SIDE_PX};
use crate::dino::DinoModel;
use crate::networks::{Network, Networks};
use crate::resample::{Filter, resize_rgb};

/// Which pixels of a picture are the object.
pub fn matte(networks: &mut Networks, picture: &RgbImage) -> Result<GrayImage> {
    networks.load(&[Network::BiRefNet])?;
    networks
        .get::<BiRefNet>(Network::BiRefNet)?
        .matte(picture, SIDE_PX, networks.device())
}

/// What DINOv3 sees in a prepared picture, brought to `side_px` along its edges: `[1, tokens, channels]`.
pub fn features(networks: &mut Networks, picture: &RgbImage, side_px: u32) -> Result<HostTensor> {
    networks.load(&[Network::Dino])?;
    let square = resize_rgb(picture, side_px, side_px, Filter::Lanczos);
    let side = i64::from(side_px);
    let pixels = Tensor::f_from_data_size(square.as_raw(), &[side, side, 3], Kind::Uint8)?;
    let pixels = pixels
        .f_to_device(networks.device())?
        .f_permute([2, 0, 1])?
        .f_unsqueeze(0)?;
    let pixels = pixels.f_to_kind(Kind::Float)?.f_div_scalar_(255.0)?.f_contiguous()?;
    let features = networks
        .get::<DinoModel>(Network::Dino)?
        .forward(&DinoModel::normalized(&pixels)?)?;
    HostTensor::of(&features)
}
