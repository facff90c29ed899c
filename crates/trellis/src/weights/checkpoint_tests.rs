use std::fs;

use safetensors::tensor::{TensorView, serialize_to_file};
use tempfile::TempDir;

use super::*;
use crate::TrellisError;

/// A file with `weight` `[2, 3]` in F32, 0 to 5, `half` `[2]` in F16, 1 and 2, and `index` `[2]` in I64, 7 and 8.
fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let weight: Vec<u8> = (0..6).flat_map(|number| (number as f32).to_le_bytes()).collect();
    let half = [0x00, 0x3c, 0x00, 0x40];
    let index: Vec<u8> = [7_i64, 8].iter().flat_map(|number| number.to_le_bytes()).collect();
    let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).expect("it fits");
    let tensors = [
        ("part.weight", view(Dtype::F32, &[2, 3], &weight)),
        ("half", view(Dtype::F16, &[2], &half)),
        ("index", view(Dtype::I64, &[2], &index)),
    ];
    serialize_to_file(tensors, None, &path).expect("written");
    (folder, path)
}

fn build(weights: &Weights<'_>) -> Result<(Tensor, Tensor, Tensor)> {
    Ok((
        weights.at("part").tensor("weight", &[2, 3], Kind::Float)?,
        weights.tensor("half", &[2], Kind::Float)?,
        weights.indices("index", &[2])?,
    ))
}

/// The error of a builder that asks for one more tensor than [`build`].
fn error_with(name: &str, shape: &[i64], kind: Kind) -> WeightsError {
    let (_folder, path) = file();
    let result = Checkpoint::open(&path).expect("whole").load(Device::Cpu, |weights| {
        let _ = build(weights)?;
        weights.tensor(name, shape, kind)
    });
    match result.expect_err("it must fail") {
        TrellisError::Weights(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn tensors_arrive_in_the_wanted_kind_and_outlive_the_file() {
    let (_folder, path) = file();
    let checkpoint = Checkpoint::open(&path).expect("whole");
    let (weight, half, index) = checkpoint.load(Device::Cpu, build).expect("it fits");
    drop(checkpoint);
    assert_eq!(
        Vec::<Vec<f32>>::try_from(weight).expect("floats"),
        [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    );
    assert_eq!(Vec::<f32>::try_from(half).expect("floats"), [1.0, 2.0]);
    assert_eq!(Vec::<i64>::try_from(index).expect("numbers"), [7, 8]);
}

#[test]
fn a_key_that_is_not_there_is_named_with_its_file() {
    let error = error_with("bias", &[3], Kind::Float);
    assert!(
        matches!(&error, WeightsError::MissingKey { path, key } if key == "bias" && path.ends_with("model.safetensors"))
    );
}

#[test]
fn a_key_that_nobody_asks_for_is_named_with_its_file() {
    let (_folder, path) = file();
    let checkpoint = Checkpoint::open(&path).expect("whole");
    let load = |skipped: &str| {
        checkpoint.load(Device::Cpu, |weights| {
            weights.skip(skipped);
            weights.at("part").tensor("weight", &[2, 3], Kind::Float)
        })
    };
    let TrellisError::Weights(WeightsError::SpareKeys {
        path: found,
        key,
        count,
    }) = load("other").expect_err("two are left")
    else {
        panic!("of another kind");
    };
    assert_eq!((found, key.as_str(), count), (path, "half", 2));
    let error = load("index").expect_err("one is left");
    assert!(
        error.to_string().contains("1 tensor(s) too many, such as 'half'"),
        "{error}"
    );
}

#[test]
fn a_wrong_shape_is_named_with_both_shapes() {
    let error = error_with("part.weight", &[3, 2], Kind::Float);
    let WeightsError::WrongShape {
        key, expected, found, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((key.as_str(), expected, found), ("part.weight", vec![3, 2], vec![2, 3]));
}

#[test]
fn a_wrong_kind_is_named_with_both_kinds() {
    for (key, kind, words) in [
        ("index", Kind::Float, ["I64", "F32, F16 or BF16"]),
        ("half", Kind::Int64, ["F16", "I64 or I32"]),
    ] {
        let error = error_with(key, &[2], kind);
        assert!(matches!(&error, WeightsError::WrongKind { key: found, .. } if found == key));
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    }
}

#[test]
fn a_file_cut_anywhere_is_damaged() {
    let (_folder, path) = file();
    let whole = fs::read(&path).expect("there");
    for length in [0, 4, 8, 40, whole.len() - 1] {
        fs::write(&path, &whole[..length]).expect("written");
        let error = Checkpoint::open(&path).err().expect("cut short");
        assert!(
            matches!(&error, WeightsError::Damaged { path: found, .. } if *found == path),
            "{length}: {error}"
        );
    }
    fs::write(&path, b"PK\x03\x04 a pickle, most likely, of a model").expect("written");
    assert!(matches!(Checkpoint::open(&path), Err(WeightsError::Damaged { .. })));
}

#[test]
fn a_file_or_folder_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in [folder.path().join("nothing.safetensors"), folder.path().to_owned()] {
        let error = Checkpoint::open(&path).err().expect("no file");
        assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    }
}

#[test]
fn tensors_that_lie_askew_in_the_file_are_read() {
    let (_folder, path) = file();
    let mut bytes = fs::read(&path).expect("there");
    // One more space in the header moves all tensors by a byte.
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight"));
    bytes[..8].copy_from_slice(&(length + 1).to_le_bytes());
    bytes.insert(8 + length as usize, b' ');
    fs::write(&path, bytes).expect("written");
    let (weight, ..) = Checkpoint::open(&path)
        .expect("whole")
        .load(Device::Cpu, build)
        .expect("it fits");
    assert_eq!(weight.double_value(&[1, 2]), 5.0);
}

#[test]
fn a_cancelled_run_does_not_wait_for_the_rest_of_a_model() {
    let (_folder, path) = file();
    let cancel = CancelToken::new();
    let checkpoint = Checkpoint::open(&path).expect("whole").cancelled_by(cancel.clone());
    let result = checkpoint.load(Device::Cpu, |weights| {
        let _ = weights.tensor("half", &[2], Kind::Float)?;
        cancel.cancel();
        weights.indices("index", &[2])
    });
    let error = result.expect_err("it was cancelled after the first tensor");
    assert!(
        matches!(error, TrellisError::Engine(bozzetto_engine::EngineError::Cancelled)),
        "{error}"
    );
}
