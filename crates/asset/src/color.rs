//! The sRGB transfer function: colours are linear in memory and sRGB in files.

use std::sync::LazyLock;

/// Linear light from an sRGB-encoded value, both in `[0, 1]` (IEC 61966-2-1).
pub fn linear_from_srgb(encoded: f32) -> f32 {
    if encoded <= 0.04045 {
        encoded / 12.92
    } else {
        ((encoded + 0.055) / 1.055).powf(2.4)
    }
}

/// sRGB-encoded value from linear light, both in `[0, 1]` (IEC 61966-2-1).
pub fn srgb_from_linear(linear: f32) -> f32 {
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// Linear light from an 8-bit sRGB value, by table.
pub fn linear_from_srgb_u8(encoded: u8) -> f32 {
    static TABLE: LazyLock<[f32; 256]> =
        LazyLock::new(|| std::array::from_fn(|value| linear_from_srgb(value as f32 / 255.0)));
    TABLE[encoded as usize]
}

/// 8-bit sRGB value from linear light; values outside `[0, 1]` are clamped, NaN becomes 0.
pub fn srgb_u8_from_linear(linear: f32) -> u8 {
    (srgb_from_linear(linear.clamp(0.0, 1.0)) * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_round_trip() {
        for value in 0..=255 {
            assert_eq!(srgb_u8_from_linear(linear_from_srgb_u8(value)), value);
        }
        assert_eq!(srgb_u8_from_linear(f32::NAN), 0);
    }
}
