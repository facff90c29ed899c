#!/usr/bin/env bash
# Builds Bozzetto and starts it. Without a display it makes the bundled example instead, and says where it is.
#
# usage: bash packaging/run.sh [ARGUMENT...]     arguments go to the program
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/install.sh

has_display() { [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

packages=$(missing_build_packages; missing_vulkan_packages; if has_display; then missing_window_packages; fi)
# shellcheck disable=SC2086 # one word a package
install_packages $packages
ensure_rust
cargo build --release --locked
program="${CARGO_TARGET_DIR:-target}/release/bozzetto"

# The graphics library warns when there is no desktop session's folder.
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    XDG_RUNTIME_DIR=$(mktemp -d)
    export XDG_RUNTIME_DIR
    trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
fi

if [ "$#" -gt 0 ] || has_display; then
    "$program" "$@"
    exit
fi

say "There is no display, so here is the bundled example."
mkdir -p out
"$program" generate assets/examples/owl -o out/example.glb --ply out/example.ply --preview out/example.png
