use bozzetto_engine::{CancelToken, EngineError};
use glam::Vec3;
use image::{GrayImage, RgbImage};

/// The picture with the object's own colours under its soft edge and a little beyond it, so that no backdrop bleeds
/// into a texture that is taken from it. Pixels keep their colour where the matte is at least `trusted`, at them and
/// within `margin` pixels; the rest of the backdrop keeps its own.
pub(crate) fn decontaminate(
    picture: &RgbImage,
    matte: &GrayImage,
    trusted: u8,
    margin: usize,
    cancel: &CancelToken,
) -> Result<RgbImage, EngineError> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let matte = matte.as_raw();
    let mut colors: Vec<Vec3> = picture
        .pixels()
        .map(|pixel| Vec3::from(pixel.0.map(f32::from)))
        .collect();
    let mut is_known: Vec<bool> = matte.iter().map(|&value| value >= trusted).collect();
    for _ in 0..margin {
        cancel.check()?;
        is_known = shrunk(&is_known, [width, height]);
    }
    let keeps_color = is_known.clone();
    let reach = width.max(height) / 128 + 6;
    let mut front: Vec<usize> = (0..matte.len()).filter(|&cell| is_known[cell]).collect();
    for _ in 0..reach {
        cancel.check()?;
        front = grow(&mut colors, &mut is_known, &front, [width, height]);
    }
    let mut clean = picture.clone();
    for (cell, pixel) in clean.pixels_mut().enumerate() {
        if is_known[cell] && !keeps_color[cell] {
            pixel.0 = (colors[cell] + 0.5).to_array().map(|value| value as u8);
        }
    }
    Ok(clean)
}

/// Without the pixels that touch one outside. The picture's border does not count as outside.
fn shrunk(mask: &[bool], [width, height]: [usize; 2]) -> Vec<bool> {
    (0..mask.len())
        .map(|cell| {
            let (x, y) = (cell % width, cell / width);
            (y.saturating_sub(1)..(y + 2).min(height))
                .all(|v| (x.saturating_sub(1)..(x + 2).min(width)).all(|u| mask[v * width + u]))
        })
        .collect()
}

/// Gives every unknown neighbour of the front the mean colour of its known neighbours; returns those cells.
fn grow(colors: &mut [Vec3], is_known: &mut [bool], front: &[usize], [width, height]: [usize; 2]) -> Vec<usize> {
    let around = |cell: usize| {
        let (x, y) = (cell % width, cell / width);
        (y.saturating_sub(1)..(y + 2).min(height))
            .flat_map(move |v| (x.saturating_sub(1)..(x + 2).min(width)).map(move |u| v * width + u))
    };
    let mut next: Vec<usize> = front
        .iter()
        .flat_map(|&cell| around(cell))
        .filter(|&cell| !is_known[cell])
        .collect();
    next.sort_unstable();
    next.dedup();
    let means: Vec<Vec3> = next
        .iter()
        .map(|&cell| {
            let known = around(cell).filter(|&other| is_known[other]);
            let (sum, count) = known.fold((Vec3::ZERO, 0.0), |(sum, count), other| {
                (sum + colors[other], count + 1.0)
            });
            sum / count
        })
        .collect();
    for (&cell, mean) in next.iter().zip(means) {
        colors[cell] = mean;
        is_known[cell] = true;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Luma, Rgb};

    #[test]
    fn the_edge_takes_the_objects_colour_and_the_object_keeps_its_own() {
        let (red, blue) = ([200, 30, 20], [10, 40, 220]);
        let matte = GrayImage::from_fn(64, 32, |x, _| {
            Luma([(255.0 * (1.5 - x as f32 / 20.0).clamp(0.0, 1.0)) as u8])
        });
        let picture = RgbImage::from_fn(64, 32, |x, y| {
            let alpha = f32::from(matte.get_pixel(x, y)[0]) / 255.0;
            Rgb(std::array::from_fn(|i| {
                (f32::from(red[i]) * alpha + f32::from(blue[i]) * (1.0 - alpha)) as u8
            }))
        });
        let cancel = CancelToken::new();
        let clean = decontaminate(&picture, &matte, 250, 1, &cancel).expect("not cancelled");
        for x in 0..16 {
            assert!(
                clean.get_pixel(x, 16).0.iter().zip(red).all(|(a, b)| a.abs_diff(b) < 8),
                "at {x}"
            );
        }
        assert_eq!(clean.get_pixel(5, 5), picture.get_pixel(5, 5));
        assert_eq!(clean.get_pixel(60, 5).0, blue);
        cancel.cancel();
        let outcome = decontaminate(&picture, &matte, 250, 1, &cancel);
        assert_eq!(outcome.err(), Some(EngineError::Cancelled));
    }
}
