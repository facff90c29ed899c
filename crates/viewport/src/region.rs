use glam::{DVec2, UVec2, Vec4};

/// A part of a picture, pixels from its top left corner. May reach beyond the picture at the right and below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    pub origin_px: [u32; 2],
    pub size_px: [u32; 2],
}

impl Region {
    /// All of a picture.
    pub fn whole(size_px: [u32; 2]) -> Self {
        Self {
            origin_px: [0; 2],
            size_px,
        }
    }

    /// Left, top, width, height.
    pub fn rect_px(&self) -> Vec4 {
        let [x, y] = self.origin_px.map(|side| side as f32);
        let [width, height] = self.size_px.map(|side| side as f32);
        Vec4::new(x, y, width, height)
    }

    /// Scale and offset that lead from the clip space of a picture of this size to the region's. Exactly 1 and 0 for the
    /// whole of it.
    pub fn clip_map(&self, picture_px: [u32; 2]) -> Vec4 {
        let [picture, origin, size] =
            [picture_px, self.origin_px, self.size_px].map(|sides| UVec2::from(sides).as_dvec2());
        let offset = (picture - 2.0 * origin - size) / size;
        let scale = (picture / size).as_vec2();
        // Rows are counted downwards, and clip space grows upwards.
        let offset = (offset * DVec2::new(1.0, -1.0)).as_vec2();
        Vec4::new(scale.x, scale.y, offset.x, offset.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_s_corners_are_its_clip_space_s_corners() {
        let region = Region {
            origin_px: [48, 16],
            size_px: [32, 64],
        };
        let picture = [200, 100];
        let map = region.clip_map(picture);
        for (pixel, expected) in [([48.0, 16.0], [-1.0, 1.0]), ([80.0, 80.0], [1.0, -1.0])] {
            let clip = [
                pixel[0] / picture[0] as f32 * 2.0 - 1.0,
                1.0 - pixel[1] / picture[1] as f32 * 2.0,
            ];
            let found = [clip[0] * map.x + map.z, clip[1] * map.y + map.w];
            assert!(
                (found[0] - expected[0]).abs() < 1e-5 && (found[1] - expected[1]).abs() < 1e-5,
                "{found:?}"
            );
        }
        assert_eq!(Region::whole(picture).clip_map(picture), Vec4::new(1.0, 1.0, 0.0, 0.0));
    }
}
