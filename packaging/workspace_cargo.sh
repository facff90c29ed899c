#!/usr/bin/env bash
# Cargo as maturin is to call it (variable CARGO) for a wheel made of what the tests use. maturin asks for the bridge's
# crate alone and in an environment of its own: Cargo would choose other features of 50 dependencies than for the whole
# workspace, and compile those and all that need them once more, for minutes. The library is the same.
set -euo pipefail
unset CARGO

[ "${1:-}" = rustc ] || exec cargo "$@"
unset PYO3_BUILD_EXTENSION_MODULE PYO3_CONFIG_FILE PYO3_ENVIRONMENT_SIGNATURE PYO3_PYTHON PYTHON_SYS_EXECUTABLE
exec cargo test --workspace --locked --no-run --message-format json-render-diagnostics
