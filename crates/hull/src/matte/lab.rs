use bozzetto_asset::color::linear_from_srgb_u8;
use glam::Vec3;
use image::RgbImage;

use super::grid::Grid;

/// Volume of the sRGB gamut in this space, roughly: what a colour is worth that could be any.
pub(crate) const GAMUT_LOG_VOLUME: f32 = 12.2;

/// Oklab (Björn Ottosson, "A perceptual color space for image processing", 2020) with lightness in `[0, 100]` and the
/// two colour axes stretched to match it. A step of about 1 is just visible.
///
/// Scaling linear light by `s` scales the whole vector by the cube root of `s`: a shadow moves a colour towards black
/// along a line through the origin, which the shadow test relies on.
pub(crate) fn lab_from_srgb(rgb: [u8; 3]) -> Vec3 {
    let [r, g, b] = rgb.map(linear_from_srgb_u8);
    let l = (0.412_221_47 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    Vec3::new(
        100.0 * (0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s),
        200.0 * (1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s),
        200.0 * (0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s),
    )
}

/// A whole picture in [`lab_from_srgb`]'s space.
pub(crate) fn lab_image(picture: &RgbImage) -> Grid<Vec3> {
    Grid::from_fn(picture.width() as usize, picture.height() as usize, |x, y| {
        lab_from_srgb(picture.get_pixel(x as u32, y as u32).0)
    })
}

/// The picture at half the size (rounded up), each cell the mean of the cells it covers.
pub(crate) fn halved(picture: &Grid<Vec3>) -> Grid<Vec3> {
    Grid::from_fn(picture.width.div_ceil(2), picture.height.div_ceil(2), |x, y| {
        let (right, below) = ((2 * x + 1).min(picture.width - 1), (2 * y + 1).min(picture.height - 1));
        let top = picture.at(2 * x, 2 * y) + picture.at(right, 2 * y);
        let bottom = picture.at(2 * x, below) + picture.at(right, below);
        (top + bottom) * 0.25
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_is_100_and_shadows_point_to_the_origin() {
        let white = lab_from_srgb([255; 3]);
        assert!(white.abs_diff_eq(Vec3::new(100.0, 0.0, 0.0), 0.05), "{white}");
        let lit = lab_from_srgb([200, 120, 60]);
        // 0.4 times the light of the colour above, encoded again.
        let linear = [200, 120, 60].map(|value| linear_from_srgb_u8(value) * 0.4);
        let shaded = lab_from_srgb(linear.map(bozzetto_asset::color::srgb_u8_from_linear));
        assert!(lit.normalize().dot(shaded.normalize()) > 0.9999);
        assert!((shaded.length() / lit.length() - 0.4_f32.cbrt()).abs() < 0.01);
    }
}
