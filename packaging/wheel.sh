#!/usr/bin/env bash
# Builds the Python bridge's wheel into target/wheels: one for every Python from 3.10 on. Then installs it into a clean
# environment and asks it what that can run.
#
#   packaging/wheel.sh            as it is shipped
#   packaging/wheel.sh --dev      from what `cargo test --workspace` builds; LIBTORCH as for test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/install.sh

profile=(--release --strip)
cargo=cargo
case "${1:-}" in
    --dev)
        profile=(--profile dev)
        cargo="$PWD/packaging/workspace_cargo.sh"
        LIBTORCH="${LIBTORCH:-$(bash packaging/libtorch.sh)}"
        export LIBTORCH
        ;;
    "") ;;
    *) fail "Say nothing, or --dev." ;;
esac

python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    fail "Python 3.10 or newer with its module venv is needed (on Debian and Ubuntu: apt install python3-venv)."

tools=target/wheel-tools
wanted=python_bridge/requirements-wheel.txt
if ! cmp -s "$wanted" "$tools/requirements.txt"; then
    say "Installing what builds and tests the wheel into $tools"
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" ||
        fail "The packages could not be fetched from PyPI. Check the network, then start again."
    cp "$wanted" "$tools/requirements.txt"
fi

wheels=target/wheels
rm -rf "$wheels"
CARGO="$cargo" "$tools/bin/maturin" build "${profile[@]}" --locked --manifest-path python_bridge/Cargo.toml --out "$wheels"
BOZZETTO_TEST_WHEEL="$PWD/$(ls "$wheels"/bozzetto_bridge-*.whl)" \
    "$tools/bin/python" -m pytest -q -p no:cacheprovider python_bridge/tests/test_wheel.py
ls -l "$wheels"
