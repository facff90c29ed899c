#!/usr/bin/env bash
# Formatting, lints and documentation, as every change must pass them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
