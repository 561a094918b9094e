"""`dapt masks` here and on a Ray cluster of two nodes on this machine, one of whose workers is killed in mid-run.

    python -m benchmarks.masks_on_ray --images 20000 --place /tmp/masks-on-ray

Makes small pictures, then their masks by both ways into two folders, compares all files, and prints seconds and masks
per second. Only the raylets and the worker that this started are stopped.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = 8


def draw(folder: Path, count: int, side: int) -> None:
    """A disc of one colour on another, with noise, `count` times; those that are there stay."""
    rows, columns = np.mgrid[:side, :side]
    for number in range(count):
        path = folder / f"class_{number % CLASSES}" / f"{number:05d}.png"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draws = np.random.default_rng(number)
        picture = np.empty((side, side, 3), np.int64)
        picture[:] = draws.integers(0, 255, 3)
        x, y = draws.integers(side // 4, 3 * side // 4, 2)
        radius = int(draws.integers(side // 8, side // 3))
        picture[(columns - x) ** 2 + (rows - y) ** 2 < radius**2] = draws.integers(0, 255, 3)
        picture += draws.integers(-8, 8, picture.shape)
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(path, compress_level=1)


def masks(photos: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dapt", "masks", str(photos), "--out", str(out), *more]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})


def workers(address: str) -> list[int]:
    """The processes that make masks on the cluster at `address`, by the raylet that started them."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if b"ChunkMaker" not in (folder / "cmdline").read_bytes():
                    continue
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if address.encode() in Path("/proc", parent, "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:  # it has ended meanwhile
                continue
    return found


def count(out: Path) -> int:
    return sum(1 for _ in out.rglob("*.png"))


def contents(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def told(what: str, seconds: float, images: int) -> None:
    print(f"{what}: {seconds:.0f} s, {images / seconds:.0f} masks/s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=48, help="pixels")
    parser.add_argument("--place", type=Path, required=True, help="folder for pictures and masks")
    parser.add_argument("--more", nargs="*", default=["--cue", "border"], help="options of dapt masks")
    given = parser.parse_args()
    photos, here, there = (given.place / name for name in ("photos", "here", "there"))
    draw(photos, given.images, given.side)

    began = time.monotonic()
    assert masks(photos, here, *given.more).wait() == 0
    told("local", time.monotonic() - began, given.images)

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    head = {**node, "include_dashboard": False, "temp_dir": tempfile.mkdtemp(prefix="dr")}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(**node)
        began = time.monotonic()
        running = masks(photos, there, *given.more, "--ray", cluster.address)
        while running.poll() is None and count(there) < given.images // 3:
            time.sleep(1)
        victims = workers(cluster.address)
        print(f"{len(victims)} workers, {count(there)} masks: killing process {victims[0]}", flush=True)
        os.kill(victims[0], signal.SIGKILL)
        assert running.wait() == 0
        told("two nodes, one worker killed", time.monotonic() - began, given.images)
    finally:
        cluster.shutdown()
    one, other = contents(here), contents(there)
    differing = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    print(f"{count(there)} masks; {len(differing)} of {len(one)} files differ {differing[:5]}")


if __name__ == "__main__":
    main()
