#!/usr/bin/env bash
# Runs every test. Installs what they need: a software Vulkan driver when there is no GPU driver, a virtual display
# for the tests that open the real window, Node.js for the Khronos glTF validator, Blender and trimesh, which read
# what is exported, libtorch for the native engines, and a Python environment for the bridge's worker.
#
# LIBTORCH may name a libtorch to use instead of the one that packaging/libtorch.sh fetches.
# BOZZETTO_TEST_DATA may name a folder of further views and meshes to test with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/install.sh

missing_test_packages() {
    command -v Xvfb >/dev/null 2>&1 || echo xvfb
    command -v node >/dev/null 2>&1 || echo nodejs
    command -v npm >/dev/null 2>&1 || echo npm
    has_python || echo python3-venv
    # Blender's Python module exists for Python 3.11 alone, which is Debian 12's own.
    has_python_3_11 || ! grep -q '^VERSION_CODENAME=bookworm$' /etc/os-release || echo python3.11-venv
    has_library 'libSM\.so\.6' || echo libsm6
    has_library 'libGL\.so\.1' || echo libgl1
}

# For the bridge: any that it runs in.
has_python() { python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

has_python_3_11() { python3.11 -c 'import ensurepip, venv' 2>/dev/null; }

# Blender and trimesh in an environment of their own, made anew only when another version is asked for.
install_readers() {
    readers=target/readers
    wanted=tests/readers/requirements.txt
    cmp -s "$wanted" "$readers/requirements.txt" && return 0
    if ! has_python_3_11; then
        say "There is no Python 3.11, so the tests in which Blender and trimesh read exported files will be skipped."
        return 0
    fi
    say "Installing Blender's Python module and trimesh into $readers"
    rm -rf "$readers"
    python3.11 -m venv "$readers"
    "$readers/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$wanted" ||
        fail "Blender and trimesh could not be fetched from PyPI. Check the network, then start again."
    cp "$wanted" "$readers/requirements.txt"
}

# The bridge's wheel, in the environment that built and tried it.
install_bridge() {
    if ! has_python; then
        say "There is no Python 3.10 or newer, so the tests of the Python bridge will be skipped."
        return 0
    fi
    bash packaging/wheel.sh --dev
    BOZZETTO_TEST_PYTHON="$PWD/target/wheel-tools/bin/python"
    export BOZZETTO_TEST_PYTHON
    "$BOZZETTO_TEST_PYTHON" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps \
        target/wheels/bozzetto_bridge-*.whl
}

packages=$(missing_build_packages; missing_vulkan_packages; missing_window_packages; missing_test_packages)
# shellcheck disable=SC2086 # one word a package
install_packages $packages
ensure_rust
npm ci --prefix tests/gltf_validator --loglevel=error --no-audit --no-fund ||
    fail "The glTF validator could not be fetched from the npm registry. Check the network, then start again."
install_readers
LIBTORCH="${LIBTORCH:-$(bash packaging/libtorch.sh)}"
export LIBTORCH
install_bridge

# Without it every start of the graphics library warns that a desktop session is missing.
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    XDG_RUNTIME_DIR=$(mktemp -d)
    export XDG_RUNTIME_DIR
    trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
fi
export LANG="${LANG:-C.UTF-8}"

cargo test --workspace --locked "$@"
if [ -n "${BOZZETTO_TEST_PYTHON:-}" ]; then
    "$BOZZETTO_TEST_PYTHON" -m pytest -q -p no:cacheprovider python_bridge
fi
