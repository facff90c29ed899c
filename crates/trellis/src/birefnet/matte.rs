use image::{GrayImage, RgbImage};
use tch::{Device, Kind, Tensor};

use super::BiRefNet;
use crate::resample::{Filter, resize_gray, resize_rgb};
use crate::{Result, TrellisError};

/// Side of the square that the network sees.
pub const SIDE_PX: u32 = 1024;
/// Mean and standard deviation of ImageNet's pixels, in `[0, 1]`.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

impl BiRefNet {
    /// Which pixels are the object: 255 inside, of the picture's size. `side_px`: [`SIDE_PX`] but for small networks.
    ///
    /// `trellis2/pipelines/rembg/BiRefNet.py` of microsoft/TRELLIS.2.
    pub fn matte(&self, picture: &RgbImage, side_px: u32, device: Device) -> Result<GrayImage> {
        let input = network_input(picture, side_px)?.f_unsqueeze(0)?.f_to_device(device)?;
        let logits = self.forward(&input)?;
        matte_of(
            &logits.f_view([i64::from(side_px), i64::from(side_px)])?,
            picture.dimensions(),
        )
    }
}

/// `[3, side, side]` f32: the picture squeezed into a square, normalised.
pub fn network_input(picture: &RgbImage, side_px: u32) -> Result<Tensor> {
    let square = resize_rgb(picture, side_px, side_px, Filter::Bilinear);
    let side = i64::from(side_px);
    let pixels = Tensor::f_from_data_size(square.as_raw(), &[side, side, 3], Kind::Uint8)?;
    let mut pixels = pixels
        .f_permute([2, 0, 1])?
        .f_to_kind(Kind::Float)?
        .f_div_scalar_(255.0)?;
    let of_channels = |values: &[f32; 3]| Tensor::f_from_slice(values)?.f_view([3, 1, 1]);
    Ok(pixels
        .f_sub_(&of_channels(&MEAN)?)?
        .f_div_(&of_channels(&DEVIATION)?)?
        .f_contiguous()?)
}

/// A matte of `width` x `height` from `[side, side]` logits.
pub fn matte_of(logits: &Tensor, (width, height): (u32, u32)) -> Result<GrayImage> {
    let shape = logits.size();
    let values = logits.f_sigmoid()?.f_mul_scalar_(255.0)?.f_to_kind(Kind::Uint8)?;
    let values = values.f_to_device(Device::Cpu)?.f_contiguous()?;
    let mut bytes = vec![0; values.numel()];
    values.f_copy_data(&mut bytes, values.numel())?;
    let square = match *shape.as_slice() {
        [rows, columns] => GrayImage::from_raw(columns as u32, rows as u32, bytes),
        _ => None,
    };
    let square = square.ok_or_else(|| TrellisError::Invalid(format!("{shape:?} numbers are no matte")))?;
    Ok(resize_gray(&square, width, height, Filter::Bicubic))
}
