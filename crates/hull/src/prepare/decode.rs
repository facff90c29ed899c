use bozzetto_asset::View;
use bozzetto_engine::{EngineError, read_picture};
use image::{Rgba, RgbaImage};
use rayon::prelude::*;

/// Shortest side that holds enough of an object to work with.
const MIN_SIDE_PX: u32 = 16;
/// Longer sides are scaled down to this: finer than any voxel or texel made from a view, and quick to cut out.
const MAX_PREPARED_PX: u32 = 2048;

/// Reads a view's picture as 8-bit sRGB with straight alpha, upright, at most 2048 pixels on a side.
pub(super) fn decode(view: &View) -> Result<RgbaImage, EngineError> {
    let picture = read_picture(view)?;
    let (width, height) = (picture.width(), picture.height());
    if width.min(height) < MIN_SIDE_PX {
        return Err(EngineError::BadView {
            name: view.name(),
            reason: format!(
                "it is only {width} x {height} pixels, and at least {MIN_SIDE_PX} x {MIN_SIDE_PX} are needed"
            ),
        });
    }
    Ok(scaled_down(picture.into_rgba8()))
}

/// The picture with its longer side at most [`MAX_PREPARED_PX`]: every pixel the mean of what it covers, weighted by
/// alpha so that what lies under transparent pixels does not bleed.
fn scaled_down(picture: RgbaImage) -> RgbaImage {
    let (width, height) = picture.dimensions();
    let longest = width.max(height);
    if longest <= MAX_PREPARED_PX {
        return picture;
    }
    let scaled = |side: u32| {
        (u64::from(side) * u64::from(MAX_PREPARED_PX))
            .div_ceil(u64::from(longest))
            .max(u64::from(MIN_SIDE_PX)) as u32
    };
    let (new_width, new_height) = (scaled(width), scaled(height));
    let columns: Vec<_> = (0..new_width).map(|x| covered(x, new_width, width)).collect();
    let mut rows: Vec<Vec<u8>> = Vec::new();
    (0..new_height)
        .into_par_iter()
        .map(|y| {
            let row = covered(y, new_height, height);
            columns
                .iter()
                .flat_map(|column| mean(&picture, column, &row).0)
                .collect()
        })
        .collect_into_vec(&mut rows);
    RgbaImage::from_raw(new_width, new_height, rows.concat()).unwrap_or(picture)
}

/// The source pixels that a scaled pixel covers, with the share of each.
fn covered(index: u32, new_count: u32, count: u32) -> Vec<(u32, f32)> {
    let ratio = f64::from(count) / f64::from(new_count);
    let (start, end) = (f64::from(index) * ratio, f64::from(index + 1) * ratio);
    (start as u32..(end.ceil() as u32).min(count))
        .map(|source| {
            let share = end.min(f64::from(source + 1)) - start.max(f64::from(source));
            (source, share.max(0.0) as f32)
        })
        .collect()
}

fn mean(picture: &RgbaImage, columns: &[(u32, f32)], rows: &[(u32, f32)]) -> Rgba<u8> {
    let (mut by_alpha, mut plain, mut alpha_sum, mut weight_sum) = ([0.0_f32; 3], [0.0_f32; 3], 0.0_f32, 0.0_f32);
    for &(y, row_share) in rows {
        for &(x, column_share) in columns {
            let pixel = picture.get_pixel(x, y).0;
            let weight = row_share * column_share;
            let alpha = f32::from(pixel[3]) * weight;
            for axis in 0..3 {
                by_alpha[axis] += f32::from(pixel[axis]) * alpha;
                plain[axis] += f32::from(pixel[axis]) * weight;
            }
            alpha_sum += alpha;
            weight_sum += weight;
        }
    }
    let weight_sum = weight_sum.max(f32::MIN_POSITIVE);
    let channel = |axis: usize| {
        let value = if alpha_sum > 0.0 {
            by_alpha[axis] / alpha_sum
        } else {
            plain[axis] / weight_sum
        };
        (value + 0.5) as u8
    };
    Rgba([channel(0), channel(1), channel(2), (alpha_sum / weight_sum + 0.5) as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_down_keeps_flat_colours_and_does_not_bleed_hidden_ones() {
        let picture = RgbaImage::from_fn(3000, 64, |x, _| {
            if x < 1501 {
                Rgba([200, 100, 50, 255])
            } else {
                Rgba([0, 255, 0, 0])
            }
        });
        let small = scaled_down(picture);
        assert_eq!(small.dimensions(), (2048, 44));
        assert_eq!(small.get_pixel(10, 10).0, [200, 100, 50, 255]);
        let edge: Vec<_> = (1015..1035).map(|x| small.get_pixel(x, 20).0).collect();
        assert!(
            edge.iter()
                .filter(|pixel| pixel[3] > 0)
                .all(|pixel| pixel[..3] == [200, 100, 50])
        );
        assert_eq!(edge.last(), Some(&[0, 255, 0, 0]));
    }
}
