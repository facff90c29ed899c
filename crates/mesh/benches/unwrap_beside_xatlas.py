#!/usr/bin/env python3
"""Lays out the same meshes with Bozzetto and with xatlas, measures both with the same code, and writes the table of a page.

usage: pip install xatlas==0.0.11
       cargo build --release
       python3 crates/mesh/benches/unwrap_beside_xatlas.py [--page PAGE.md] [--limit SECONDS] NAME=MESH...

Each MESH is a file, or the number of faces to which the bumpy ball of `bozzetto bench finish` is simplified. xatlas gets a
texture of the same size and padding, its other options as they come, and is stopped after the limit.
"""

import argparse
import json
import multiprocessing
import pathlib
import queue
import subprocess
import tempfile
import time

TEXTURE_PX = 2048
PADDING_PX = 4
START, END = "<!-- table -->", "<!-- end of table -->"
HEAD = """| mesh | faces | by | charts | stretch | worst | covered | seams | time |
| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def read_obj(path):
    """Positions `[V, 3]` and triangles `[F, 3]`."""
    import numpy as np

    lines = [line.split() for line in path.read_text().splitlines()]
    positions = [line[1:4] for line in lines if line[:1] == ["v"]]
    faces = [line[1:4] for line in lines if line[:1] == ["f"]]
    return np.array(positions, np.float32), np.array(faces, np.uint32) - 1


def write_obj(path, positions, uvs, faces):
    with path.open("w") as file:
        file.writelines(f"v {x} {y} {z}\n" for x, y, z in positions)
        file.writelines(f"vt {u} {v}\n" for u, v in uvs)
        file.writelines(f"f {a}/{a} {b}/{b} {c}/{c}\n" for a, b, c in faces + 1)


def lay_out_with_xatlas(source, result, told):
    """Lays a mesh out in a process of its own, which can be ended, and tells the seconds that it took."""
    import xatlas

    positions, faces = read_obj(source)
    pack = xatlas.PackOptions()
    pack.resolution, pack.padding = TEXTURE_PX, PADDING_PX
    atlas = xatlas.Atlas()
    began = time.perf_counter()
    atlas.add_mesh(positions, faces)
    atlas.generate(xatlas.ChartOptions(), pack, False)
    took = time.perf_counter() - began
    places, faces, uvs = atlas.get_mesh(0)
    # Its picture may be longer than wide, or several: here it is the square that holds the longer side of one.
    sides = uvs * [atlas.width, atlas.height] / max(atlas.width, atlas.height)
    write_obj(result, positions[places], sides, faces)
    told.put((took, atlas.atlas_count))


def beside(source, result, limit):
    """Seconds and pages of xatlas, or `None` when it was stopped."""
    told = multiprocessing.Queue()
    process = multiprocessing.Process(target=lay_out_with_xatlas, args=(source, result, told))
    process.start()
    try:
        return told.get(timeout=limit)
    except queue.Empty:
        return None
    finally:
        process.kill()
        process.join()


def bench(program, *arguments):
    command = [program, "bench", "unwrap", "--json", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def row(name, faces, by, quality, took):
    worst = f"{quality['worst_stretch']:.1f}"
    if quality["num_collapsed_faces"]:
        worst += f" ({quality['num_collapsed_faces']} faces collapsed)"
    return (
        f"| {name} | {faces} | {by} | {quality['num_charts']} | {quality['stretch']:.3f} | {worst}"
        f" | {quality['coverage'] * 100:.0f} % | {quality['seam_length']:.1f} | {took:.2f} s |"
    )


def rows(program, name, mesh, limit):
    with tempfile.TemporaryDirectory() as folder:
        bare, theirs = pathlib.Path(folder, "bare.obj"), pathlib.Path(folder, "xatlas.obj")
        source = ["--faces", mesh] if mesh.isdigit() else [mesh]
        ours = bench(program, *source, "--texture", TEXTURE_PX, "--padding", PADDING_PX, "--bare", bare)
        yield row(name, ours["faces"], "Bozzetto", ours["quality"], ours["secs"])
        told = beside(bare, theirs, limit)
        if told is None:
            yield f"| {name} | {ours['faces']} | xatlas | | | | | | stopped after {limit} s |"
            return
        took, pages = told
        by = "xatlas" if pages == 1 else f"xatlas, {pages} pages"
        yield row(name, ours["faces"], by, bench(program, "--as-it-is", theirs)["quality"], took)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("meshes", nargs="+", metavar="NAME=MESH")
    parser.add_argument("--program", default="target/release/bozzetto")
    parser.add_argument("--limit", type=int, default=300, help="seconds after which xatlas is stopped")
    parser.add_argument("--page", type=pathlib.Path, help="a page whose table is replaced")
    arguments = parser.parse_args()
    table = [HEAD]
    for entry in arguments.meshes:
        name, mesh = entry.split("=", 1)
        for line in rows(arguments.program, name, mesh, arguments.limit):
            table.append(line)
            print(line, flush=True)
    if arguments.page:
        before, _, rest = arguments.page.read_text().partition(START)
        after = rest.partition(END)[2]
        arguments.page.write_text("\n".join([before + START, *table, END + after]))


if __name__ == "__main__":
    main()
