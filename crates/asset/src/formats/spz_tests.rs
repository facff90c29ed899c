use proptest::prelude::*;

use super::*;
use crate::formats::splat_frame::tests::axes_scene;
use crate::formats::test_support::{mutated, never_panics};

/// Within the bounds that the module documents.
fn assert_within_bounds(left: &GaussianSplats, right: &GaussianSplats) {
    assert_eq!(left.len(), right.len());
    assert_eq!((left.sh_degree, left.filter), (right.sh_degree, right.filter));
    for (a, b) in left.positions.iter().zip(&right.positions) {
        assert!((*a - *b).abs().max_element() <= 1.01 / 131_072.0, "{a} {b}");
    }
    for (a, b) in left.log_scales.iter().zip(&right.log_scales) {
        assert!((*a - *b).abs().max_element() <= 1.01 / 32.0, "{a} {b}");
    }
    for (a, b) in left.rotations.iter().zip(&right.rotations) {
        let same_side = if a.dot(*b) < 0.0 { -*b } else { *b };
        assert!(a.abs_diff_eq(same_side, 0.0015), "{a} {b}");
    }
    for (a, b) in left.opacities.iter().zip(&right.opacities) {
        assert!((a - b).abs() <= 1.01 / 510.0, "{a} {b}");
    }
    let num_coefficients = left.num_sh_coefficients();
    for (index, (a, b)) in left.sh.iter().flatten().zip(right.sh.iter().flatten()).enumerate() {
        let bound = match index / 3 % num_coefficients {
            0 => 0.0131,
            1..=3 => 0.036,
            _ => 0.067,
        };
        assert!((a - b).abs() <= bound, "{index} {a} {b}");
    }
}

fn gzipped(raw: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

fn header(version: u32, num_splats: u32, sh_degree: u8, fractional_bits: u8) -> Vec<u8> {
    let mut raw = MAGIC.to_vec();
    raw.extend(version.to_le_bytes());
    raw.extend(num_splats.to_le_bytes());
    raw.extend([sh_degree, fractional_bits, 0, 0]);
    raw
}

#[test]
fn every_degree_survives_the_round_trip() {
    for degree in 0..=3 {
        let splats = axes_scene(degree);
        assert_within_bounds(&decode(&encode(&splats).unwrap()).unwrap(), &splats);
    }
}

#[test]
fn version_2_is_read_as_published() {
    // One splat at (1, -0.5, 0.25) with 12 fractional bits, opacity 1, mid-grey, log scale -10, a quarter turn about X.
    let mut raw = header(2, 1, 0, 12);
    for value in [4096_i32, -2048, 1024] {
        raw.extend(&value.to_le_bytes()[..3]);
    }
    raw.extend([255, 127, 128, 127, 0, 16, 160, 218, 127, 128]);
    let splats = decode(&gzipped(&raw)).unwrap();
    assert_eq!(splats.positions[0], Vec3::new(1.0, -0.5, 0.25));
    assert_eq!(splats.opacities[0], 1.0);
    assert_eq!(splats.log_scales[0], Vec3::new(-10.0, -9.0, 0.0));
    let quarter = Quat::from_rotation_x(std::f32::consts::FRAC_PI_2);
    assert!(
        splats.rotations[0].abs_diff_eq(quarter, 0.006),
        "{}",
        splats.rotations[0]
    );
    assert!(
        splats
            .base_color_srgb(0)
            .iter()
            .all(|channel| (channel - 0.5).abs() < 0.01)
    );
}

#[test]
fn version_3_rotations_are_read_as_published() {
    // Largest w (3 in the top bits), then x = +sqrt(1/2) * 511 / 511, y = -0, z = 0: a quarter turn about X.
    let word: u32 = (3 << 30) | (511 << 20) | (1 << 19);
    let quarter = Quat::from_rotation_x(std::f32::consts::FRAC_PI_2);
    assert!(rotation_from_smallest_three(&word.to_le_bytes()).abs_diff_eq(quarter, 1e-4));
    assert!(rotation_from_smallest_three(&smallest_three(-quarter)).abs_diff_eq(quarter, 1e-4));
}

#[test]
fn large_scenes_keep_their_place_with_coarser_steps() {
    let mut splats = axes_scene(0);
    splats.positions[2] = Vec3::new(-1000.0, 900.25, 0.5);
    let back = decode(&encode(&splats).unwrap()).unwrap();
    assert!((back.positions[2] - splats.positions[2]).abs().max_element() <= 1.0 / 16_384.0);
    splats.positions[2].x = 1e9;
    assert!(matches!(encode(&splats), Err(FormatError::Unwritable { .. })));
}

#[test]
fn huge_claims_are_refused_before_memory_is_taken() {
    let claim = gzipped(&header(3, 9_999_999, 3, 12));
    assert!(matches!(decode(&claim), Err(FormatError::Truncated { .. })));
    let claim = gzipped(&header(3, u32::MAX, 0, 12));
    assert!(matches!(decode(&claim), Err(FormatError::TooLarge { .. })));
    // A bomb: megabytes of zeros after a header that claims little. What is not asked for is not inflated.
    let mut bomb = header(3, 1, 0, 12);
    bomb.resize(8 << 20, 0);
    assert_eq!(decode(&gzipped(&bomb)).unwrap().len(), 1);
}

#[test]
fn newer_and_other_files_are_told_apart() {
    assert!(matches!(
        decode(b"NGSP\x04\0\0\0"),
        Err(FormatError::Unsupported { .. })
    ));
    assert!(matches!(
        decode(&gzipped(&header(9, 0, 0, 0))),
        Err(FormatError::Unsupported { .. })
    ));
    assert!(matches!(decode(b"hello"), Err(FormatError::NotRecognized { .. })));
    assert!(matches!(
        decode(&gzipped(b"some other text in gzip")),
        Err(FormatError::NotRecognized { .. })
    ));
}

proptest! {
    #[test]
    fn bad_bytes_never_panic(bytes in mutated(encode(&axes_scene(1)).unwrap())) {
        never_panics(&bytes, decode)?;
    }

    #[test]
    fn bad_contents_in_good_gzip_never_panic(
        version in 0_u32..5, count in prop_oneof![0_u32..40, any::<u32>()], degree in 0_u8..5, bits: u8,
        body in prop::collection::vec(any::<u8>(), 0..800),
    ) {
        let raw = [header(version, count, degree, bits), body].concat();
        never_panics(&gzipped(&raw), |bytes| {
            let splats = decode(bytes)?;
            assert!(splats.is_consistent() && check_writable(&splats).is_ok());
            Ok(splats)
        })?;
    }

    #[test]
    fn rotations_survive(x in -7.0_f32..7.0, y in -7.0_f32..7.0, z in -7.0_f32..7.0) {
        let rotation = Quat::from_euler(glam::EulerRot::XYZ, x, y, z).normalize();
        let back = rotation_from_smallest_three(&smallest_three(rotation));
        prop_assert!(back.dot(rotation).abs() > 1.0 - 3e-6, "{rotation} {back}");
    }
}
