#!/usr/bin/env bash
# Formatting, lints and documentation, as every change must pass them.
#
# LIBTORCH may name a libtorch to use instead of the one that packaging/libtorch.sh fetches.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
LIBTORCH="${LIBTORCH:-$(bash packaging/libtorch.sh)}"
export LIBTORCH
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
