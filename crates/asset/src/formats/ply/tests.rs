use proptest::prelude::*;

use super::*;
use crate::formats::splat_frame::tests::axes_scene;
use crate::formats::test_support::{mutated, never_panics};

fn assert_close(left: &GaussianSplats, right: &GaussianSplats) {
    assert_eq!(left.positions, right.positions);
    assert_eq!(left.log_scales, right.log_scales);
    assert_eq!(left.sh, right.sh);
    assert_eq!(left.filter, right.filter);
    for (a, b) in left.rotations.iter().zip(&right.rotations) {
        assert!(a.abs_diff_eq(*b, 1e-6), "{a} {b}");
    }
    for (a, b) in left.opacities.iter().zip(&right.opacities) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

/// A file with the given properties, in that order, all of them `double`, after an element with lists.
fn foreign_file(names: &[&str], rows: &[Vec<f64>]) -> Vec<u8> {
    let mut text = String::from("ply\r\nformat binary_little_endian 1.0\r\ncomment made elsewhere\r\nobj_info x\r\n");
    text += "element face 1\r\nproperty list uchar int vertex_indices\r\nproperty uchar flags\r\n";
    text.extend(["element vertex ", &rows.len().to_string(), "\r\n"]);
    for name in names {
        text.extend(["property double ", name, "\r\n"]);
    }
    text += "element camera 1\r\nproperty float view_px\r\nend_header\r\n";
    let mut bytes = text.into_bytes();
    bytes.push(2);
    bytes.extend(7_i32.to_le_bytes());
    bytes.extend(8_i32.to_le_bytes());
    bytes.push(0xff);
    for value in rows.iter().flatten() {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(1.0_f32.to_le_bytes());
    bytes
}

#[test]
fn every_degree_survives_the_round_trip() {
    for degree in 0..=3 {
        let splats = axes_scene(degree);
        let bytes = encode(&splats).unwrap();
        assert_close(&decode(&bytes).unwrap(), &splats);
        // A second pass changes no byte but for the sigmoid's rounding: positions and colours are exact above.
        assert_eq!(encode(&decode(&bytes).unwrap()).unwrap().len(), bytes.len());
    }
}

#[test]
fn the_plain_layout_has_the_17_properties_that_viewers_expect() {
    let bytes = encode(&axes_scene(0)).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("property float "))
        .collect();
    let expected = "x y z nx ny nz f_dc_0 f_dc_1 f_dc_2 opacity scale_0 scale_1 scale_2 rot_0 rot_1 rot_2 rot_3";
    assert_eq!(names.join(" "), expected);
    let body = text.find("end_header\n").unwrap() + "end_header\n".len();
    assert_eq!(bytes.len() - body, 3 * 17 * 4);
}

#[test]
fn any_order_any_type_and_unknown_properties_are_read() {
    // The y-down file's -Y is our +Y; its colour green, opacity logit 0, a quaternion that is not unit length.
    let names = [
        "rot_3", "rot_2", "rot_1", "rot_0", "label", "opacity", "scale_2", "scale_1", "scale_0", "f_dc_2", "f_dc_1",
        "f_dc_0", "z", "y", "x",
    ];
    let row = vec![
        0.0, 0.0, 0.0, 2.0, 99.0, 0.0, -3.0, -2.0, -1.0, -1.5, 1.5, -1.5, 0.0, -0.4, 0.0,
    ];
    let splats = decode(&foreign_file(&names, &[row])).unwrap();
    assert!(splats.positions[0].abs_diff_eq(Vec3::Y * 0.4, 1e-7));
    assert_eq!(splats.log_scales[0], Vec3::new(-1.0, -2.0, -3.0));
    assert_eq!(splats.rotations[0], Quat::IDENTITY);
    assert_eq!(splats.opacities[0], 0.5);
    assert!(splats.base_color_srgb(0)[1] > 0.9);
    assert!(splats.base_color_srgb(0)[0] < 0.1);
}

#[test]
fn higher_coefficients_are_channel_major_in_the_file() {
    let mut names: Vec<String> = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2"].map(String::from).to_vec();
    names.extend((0..9).map(|index| format!("f_rest_{index}")));
    names.extend(
        [
            "opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3",
        ]
        .map(String::from),
    );
    let mut row = vec![0.0; 6];
    row.extend((1..=9).map(f64::from));
    row.extend([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let splats = decode(&foreign_file(&names, &[row])).unwrap();
    assert_eq!(splats.sh_degree, 1);
    // Red is 1, 2, 3; the y and z harmonics change sign with the axes.
    assert_eq!(
        splats.sh[1..],
        [[-1.0, -4.0, -7.0], [-2.0, -5.0, -8.0], [3.0, 6.0, 9.0]]
    );
}

#[test]
fn splats_that_are_no_numbers_are_left_out_and_counted() {
    let mut bytes = encode(&axes_scene(0)).unwrap();
    let row = bytes.len() - 2 * 17 * 4;
    bytes[row..row + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let (splats, num_dropped) = decode_counted(&bytes).unwrap();
    assert_eq!((splats.len(), num_dropped), (2, 1));
    assert_eq!(splats.positions[1], Vec3::Z * 0.4);
}

#[test]
fn a_huge_claim_in_a_small_file_is_refused_with_its_numbers() {
    let text = "ply\nformat binary_little_endian 1.0\nelement vertex 4294967295\nproperty float x\nend_header\n";
    match decode(text.as_bytes()) {
        Err(FormatError::Truncated { needed, available, .. }) => {
            assert_eq!((needed, available), (4 * 4_294_967_295, 0));
        }
        other => panic!("{other:?}"),
    }
    let lists = "ply\nformat binary_little_endian 1.0\nelement face 18446744073709551615\n\
                 property list uint uint a\nend_header\n\u{1}\u{0}\u{0}\u{0}abcd\u{7f}\u{7f}\u{7f}\u{7f}";
    assert!(matches!(decode(lists.as_bytes()), Err(FormatError::Truncated { .. })));
}

#[test]
fn other_files_are_told_apart() {
    assert!(matches!(decode(b"solid cube"), Err(FormatError::NotRecognized { .. })));
    let points = "ply\nformat binary_little_endian 1.0\nelement vertex 0\nproperty float x\nend_header\n";
    assert!(matches!(
        decode(points.as_bytes()),
        Err(FormatError::NotRecognized { .. })
    ));
    let text = "ply\nformat ascii 1.0\nelement vertex 0\nend_header\n";
    assert!(matches!(decode(text.as_bytes()), Err(FormatError::Unsupported { .. })));
}

#[test]
fn splats_that_are_no_numbers_are_not_written() {
    let mut splats = axes_scene(0);
    splats.positions[1].x = f32::INFINITY;
    assert!(matches!(encode(&splats), Err(FormatError::Unwritable { .. })));
    splats.positions.pop();
    assert!(matches!(encode(&splats), Err(FormatError::Unwritable { .. })));
}

proptest! {
    #[test]
    fn bad_bytes_never_panic(bytes in mutated(encode(&axes_scene(2)).unwrap())) {
        never_panics(&bytes, decode)?;
    }

    #[test]
    fn random_splats_survive(
        values in prop::collection::vec(prop::array::uniform14(-10.0_f32..10.0), 1..40),
    ) {
        let splats = GaussianSplats {
            positions: values.iter().map(|v| Vec3::new(v[0], v[1], v[2])).collect(),
            log_scales: values.iter().map(|v| Vec3::new(v[3], v[4], v[5])).collect(),
            rotations: values.iter()
                .map(|v| Quat::from_euler(glam::EulerRot::XYZ, v[6], v[7], v[8]).normalize()).collect(),
            opacities: values.iter().map(|v| (v[9] + 10.0) / 20.0).collect(),
            sh_degree: 0,
            sh: values.iter().map(|v| [v[10], v[11], v[12]]).collect(),
            filter: SplatFilter::Dilate,
        };
        assert_close(&decode(&encode(&splats).unwrap()).unwrap(), &splats);
    }
}
