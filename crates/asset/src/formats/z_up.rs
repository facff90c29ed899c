//! Files whose up is +Z, as printers' and NeRF's are: their front is -Y.

use glam::Vec3;

/// A point of such a file in the model frame.
pub(super) fn y_up(point: Vec3) -> Vec3 {
    Vec3::new(point.x, point.z, -point.y)
}

/// A point of the model frame in such a file.
pub(super) fn z_up(point: Vec3) -> Vec3 {
    Vec3::new(point.x, -point.z, point.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_is_negative_y_and_both_ways_are_inverse() {
        assert_eq!(z_up(Vec3::Z), Vec3::NEG_Y);
        assert_eq!(z_up(Vec3::Y), Vec3::Z);
        let point = Vec3::new(1.0, 2.0, 3.0);
        assert_eq!(y_up(z_up(point)), point);
    }
}
