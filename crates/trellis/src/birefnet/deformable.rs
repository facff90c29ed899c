use tch::{Device, Kind, Tensor};

use super::layers::{BatchNorm, Conv2d, size_of};
use crate::Result;
use crate::weights::Weights;

/// A convolution that looks, for each pixel and each weight of its kernel, at a place of its own, with a strength of its own
/// (Zhu et al., "Deformable ConvNets v2", 2019).
///
/// `models/modules/deform_conv.py`; between pixels it interpolates, and outside the picture there is zero.
struct DeformableConv2d {
    offset: Conv2d,
    strength: Conv2d,
    /// `[out, in, K]`, `K` weights of the kernel, row by row.
    weight: Tensor,
    kernel: i64,
}

impl DeformableConv2d {
    /// Samples of so many numbers are taken at once.
    const MOST_SAMPLES: i64 = 1 << 25;

    fn new(weights: &Weights<'_>, (from, to): (i64, i64), kernel: i64, kind: Kind) -> Result<Self> {
        let taps = kernel * kernel;
        let weight = weights
            .at("regular_conv")
            .tensor("weight", &[to, from, kernel, kernel], kind)?;
        Ok(Self {
            offset: Conv2d::new(&weights.at("offset_conv"), (from, 2 * taps), kernel, kind)?,
            strength: Conv2d::new(&weights.at("modulator_conv"), (from, taps), kernel, kind)?,
            weight: weight.f_view([to, from, taps])?,
            kernel,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = x.size4()?;
        let taps = self.kernel * self.kernel;
        // Places need more digits than half precision has.
        let offset = self.offset.forward(x)?.f_to_kind(Kind::Float)?;
        let offset = offset.f_view([batch, taps, 2, height, width])?;
        let strength = self.strength.forward(x)?.f_sigmoid_()?.f_mul_scalar_(2.0)?;
        let places = self.places([height, width], x.device())?.f_add(&offset)?;
        let picture = x.f_to_kind(Kind::Float)?;

        let taps_at_once = (Self::MOST_SAMPLES / (batch * channels * height * width).max(1)).clamp(1, taps);
        let out_channels = self.weight.size()[0];
        let mut out = Tensor::f_zeros([batch, out_channels, height * width], (x.kind(), x.device()))?;
        for first in (0..taps).step_by(taps_at_once as usize) {
            let count = taps_at_once.min(taps - first);
            let grid = grid(&places.f_narrow(1, first, count)?)?; // [B, n H, W, 2]
            let samples = picture.f_grid_sampler(&grid, 0, 0, false)?.f_to_kind(x.kind())?;
            let mut samples = samples.f_view([batch, channels, count, height, width])?;
            let samples = samples.f_mul_(&strength.f_narrow(1, first, count)?.f_unsqueeze(1)?)?;
            let weight = self.weight.f_narrow(2, first, count)?.f_reshape([out_channels, -1])?;
            let _ = out.f_add_(&weight.f_matmul(&samples.f_view([batch, channels * count, height * width])?)?)?;
        }
        Ok(out.f_view([batch, out_channels, height, width])?)
    }

    /// Where a plain convolution looks, `[1, K, 2, H, W]`: row and column, in pixels.
    fn places(&self, [height, width]: [i64; 2], device: Device) -> Result<Tensor> {
        let ramp = |length: i64, start: i64| Tensor::f_arange_start(start, start + length, (Kind::Float, device));
        let border = self.kernel / 2;
        let taps = ramp(self.kernel, -border)?;
        let shape = [self.kernel, self.kernel, height, width];
        let rows = taps
            .f_view([-1, 1, 1, 1])?
            .f_add(&ramp(height, 0)?.f_view([1, 1, -1, 1])?)?;
        let columns = taps
            .f_view([1, -1, 1, 1])?
            .f_add(&ramp(width, 0)?.f_view([1, 1, 1, -1])?)?;
        let both = [rows.f_expand(shape, false)?, columns.f_expand(shape, false)?];
        Ok(Tensor::f_stack(&both, 2)?.f_view([1, self.kernel * self.kernel, 2, height, width])?)
    }
}

/// Places in pixels, `[B, n, 2, H, W]` (row, column), as `grid_sample` wants them: `[B, n H, W, 2]` (column, row), -1 and 1 at
/// the picture's outer edges.
fn grid(places: &Tensor) -> Result<Tensor> {
    let size = places.size();
    let (height, width) = (size[3], size[4]);
    let along = |axis: i64, length: i64| {
        places
            .f_select(2, axis)?
            .f_mul_scalar(2.0)?
            .f_add_scalar_(1.0)?
            .f_div_scalar_(length as f64)?
            .f_sub_scalar_(1.0)
    };
    let grid = Tensor::f_stack(&[along(1, width)?, along(0, height)?], -1)?;
    Ok(grid.f_view([size[0], size[1] * height, width, 2])?)
}

/// Views of several widths side by side (`models/modules/aspp.py`, `ASPPDeformable`).
pub(super) struct PyramidPooling {
    /// Kernels of 1, 1, 3 and 7 pixels.
    branches: Vec<(DeformableConv2d, BatchNorm)>,
    average: (Conv2d, BatchNorm),
    merge: (Conv2d, BatchNorm),
}

impl PyramidPooling {
    const KERNELS: [i64; 3] = [1, 3, 7];

    pub fn new(weights: &Weights<'_>, channels: i64, branch: i64, kind: Kind) -> Result<Self> {
        let load_branch = |weights: &Weights<'_>, kernel: i64| -> Result<_> {
            let conv = DeformableConv2d::new(&weights.at("atrous_conv"), (channels, branch), kernel, kind)?;
            Ok((conv, BatchNorm::new(&weights.at("bn"), branch, kind)?))
        };
        let mut branches = vec![load_branch(&weights.at("aspp1"), 1)?];
        for (index, kernel) in Self::KERNELS.into_iter().enumerate() {
            branches.push(load_branch(&weights.at("aspp_deforms").at(index), kernel)?);
        }
        let average = weights.at("global_avg_pool");
        let merged = branch * (branches.len() as i64 + 1);
        Ok(Self {
            branches,
            average: (
                Conv2d::without_bias(&average.at(1), (channels, branch), 1, kind)?,
                BatchNorm::new(&average.at(2), branch, kind)?,
            ),
            merge: (
                Conv2d::without_bias(&weights.at("conv1"), (merged, channels), 1, kind)?,
                BatchNorm::new(&weights.at("bn1"), channels, kind)?,
            ),
        })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut views = Vec::new();
        for (conv, norm) in &self.branches {
            views.push(norm.forward(&conv.forward(x)?)?.f_relu_()?);
        }
        let [height, width] = size_of(x)?;
        let (conv, norm) = &self.average;
        let average = norm
            .forward(&conv.forward(&x.f_adaptive_avg_pool2d([1, 1])?)?)?
            .f_relu_()?;
        views.push(average.f_expand([-1, -1, height, width], false)?);
        let (conv, norm) = &self.merge;
        Ok(norm.forward(&conv.forward(&Tensor::f_cat(&views, 1)?)?)?.f_relu_()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, assert_close};

    #[test]
    fn without_offsets_it_is_a_plain_convolution() {
        let options = (Kind::Float, Device::Cpu);
        tch::manual_seed(3);
        let weight = Tensor::randn([5, 4, 3, 3], options);
        let still = |channels: i64| Conv2d::zero(4, channels, 3);
        let conv = DeformableConv2d {
            offset: still(18),
            strength: still(9),
            weight: weight.view([5, 4, 9]),
            kernel: 3,
        };
        let x = Tensor::randn([2, 4, 6, 1], options);
        // Strengths of logit zero are one.
        let expected = x.conv2d(&weight, None::<&Tensor>, [1, 1], [1, 1], [1, 1], 1);
        let found = conv.forward(&x).expect("numbers");
        let error = f64::try_from((found - expected).abs().max()).expect("a number");
        assert!(error < 1e-5, "{error:e}");
    }

    #[test]
    fn pooling_gives_upstreams_numbers() {
        let fixture = Fixture::open("birefnet");
        let pooling = fixture
            .part(|weights| PyramidPooling::new(&weights.at("decoder.decoder_block3.dec_att"), 4, 12, Kind::Float));
        let x = fixture.tensor("in.attention");
        for (index, (conv, _)) in pooling.branches.iter().enumerate() {
            let expected = fixture.tensor(&format!("out.deformable.{index}"));
            assert_close(
                &conv.forward(&x).expect("numbers"),
                &expected,
                &format!("branch {index}"),
            );
        }
        assert_close(
            &pooling.forward(&x).expect("numbers"),
            &fixture.tensor("out.attention"),
            "pooling",
        );
    }
}
