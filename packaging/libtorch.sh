#!/usr/bin/env bash
# Lays out the libtorch that the crate bozzetto-trellis is built and tested with, and prints its folder:
#
#   export LIBTORCH=$(bash packaging/libtorch.sh)
#
# It goes into target/libtorch, or where BOZZETTO_LIBTORCH says, and is fetched once: 550 MB from PyPI, of which 500 MB
# stay. PyPI has the CUDA build alone; its processor half works by itself once the two small libraries are there that
# it is linked with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/install.sh

torch=2.11.0 # the one that tch 0.24 is made for
cuda=13.0
folder="${BOZZETTO_LIBTORCH:-$PWD/target/libtorch}"

if [ "$(cat "$folder/build-version" 2>/dev/null)" != "$torch" ]; then
    [ "$(uname -sm)" = "Linux x86_64" ] ||
        fail "Set LIBTORCH to an unpacked libtorch $torch from https://pytorch.org: this script knows Linux on x86-64 only."
    python3 -c 'import ensurepip, venv' 2>/dev/null || fail "Python 3 with its module venv is needed to fetch libtorch."
    say "Fetching libtorch $torch into $folder" >&2
    mkdir -p "$(dirname "$folder")"
    work=$(mktemp -d "$folder.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    python3 -m venv "$work/venv"
    "$work/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --dest "$work/wheels" \
        "torch==$torch" "nvidia-cuda-runtime==$cuda.*" "nvidia-cuda-cupti==$cuda.*" >&2 ||
        fail "libtorch could not be fetched from PyPI. Check the network, then start again."
    mkdir -p "$work/libtorch/lib"
    "$work/venv/bin/python" - "$work/wheels" "$work/libtorch" <<'PYTHON'
import pathlib, re, shutil, sys, zipfile

wheels, libtorch = map(pathlib.Path, sys.argv[1:])
library = re.compile(r".*/lib/(libtorch_cpu\.so|libc10\.so|libgomp[^/]*|libcudart\.so\.\d+|libcupti\.so\.\d+)")
for wheel in wheels.glob("*.whl"):
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if name.endswith("/"):
                continue
            if name.startswith("torch/include/"):
                target = libtorch / name.removeprefix("torch/")
            elif match := library.fullmatch(name):
                target = libtorch / "lib" / match[1]
            else:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(name) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
PYTHON
    # torch-sys asks for it by this name. The real one would drag in the CUDA libraries.
    echo 'INPUT(libtorch_cpu.so)' >"$work/libtorch/lib/libtorch.so"
    echo "$torch" >"$work/libtorch/build-version"
    rm -rf "$folder"
    mv "$work/libtorch" "$folder"
fi
say "$folder"
