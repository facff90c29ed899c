//! Compiles what `tch` does not offer (`src/torch/extra.cpp`), and lets the programs find libtorch where they were linked with it.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=src/torch/extra.cpp");
    println!("cargo:rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let is_windows = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "windows");
    // torch-sys tells where the libraries are everywhere but on Windows.
    let libraries = env::var_os("DEP_TCH_LIBTORCH_LIB")
        .map(PathBuf::from)
        .or_else(|| env::var_os("LIBTORCH").map(|folder| PathBuf::from(folder).join("lib")))
        .expect("libtorch's folder: set LIBTORCH, for example to what packaging/libtorch.sh prints");
    let headers = libraries.with_file_name("include");
    let mut compiler = cc::Build::new();
    compiler
        .cpp(true)
        .warnings(false)
        .include(&headers)
        .include(headers.join("torch/csrc/api/include"))
        .file("src/torch/extra.cpp");
    if is_windows {
        compiler.flag("/std:c++17");
    } else {
        compiler.flag("-std=c++17");
        // Beside the program first, as it is shipped; then where it was built.
        println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/libtorch/lib");
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", libraries.display());
    }
    compiler.compile("bozzetto_torch_extra");
}
