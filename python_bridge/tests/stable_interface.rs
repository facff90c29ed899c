//! The extension as Python finds it. Cargo builds it for this test, which is also how the other tests come by it.

use std::path::PathBuf;

/// Beside this test.
fn extension() -> PathBuf {
    let name = format!(
        "{}_native{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let test = std::env::current_exe().expect("a path");
    test.parent().expect("a folder").join(name)
}

/// An extension that names a libpython loads into the Python it was built beside, or brings a second one along.
#[test]
fn the_extension_names_no_version_of_python() {
    let content = std::fs::read(extension()).expect("the extension was built");
    let has = |name: &[u8]| content.windows(name.len()).any(|window| window == name);
    assert!(has(b"PyInit__native"));
    assert!(!has(b"libpython3"));
}
