#!/usr/bin/env bash
# Runs every test. Installs what they need: a software Vulkan driver when there is no GPU driver, a virtual display
# for the tests that open the real window, and Node.js for the Khronos glTF validator.
#
# BOZZETTO_TEST_DATA may name a folder of further views and meshes to test with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/install.sh

missing_test_packages() {
    command -v Xvfb >/dev/null 2>&1 || echo xvfb
    command -v node >/dev/null 2>&1 || echo nodejs
    command -v npm >/dev/null 2>&1 || echo npm
}

packages=$(missing_build_packages; missing_vulkan_packages; missing_window_packages; missing_test_packages)
# shellcheck disable=SC2086 # one word a package
install_packages $packages
ensure_rust
npm ci --prefix tests/gltf_validator --loglevel=error --no-audit --no-fund ||
    fail "The glTF validator could not be fetched from the npm registry. Check the network, then start again."

# Without it every start of the graphics library warns that a desktop session is missing.
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    XDG_RUNTIME_DIR=$(mktemp -d)
    export XDG_RUNTIME_DIR
    trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
fi
export LANG="${LANG:-C.UTF-8}"

cargo test --workspace --locked "$@"
