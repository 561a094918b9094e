"""The scenes of the demonstration as an ordinary CSV data set.

Training images show every class on the background where it belongs; in the test split half of the images do, and
half show the class on a background of other classes. That is the paper's problem in miniature (arXiv 2508.00395).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from dapt.console import progress
from dapt.data.load.picture_files import DAMAGE, Refusal, decoded
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.scenes import render
from dapt.demo.subjects import Scenes, Subject, subjects
from dapt.environment import cores
from dapt.errors import DataError
from dapt.files import write_text, write_with
from dapt.processes import worker_pool

INDEX = "index.csv"
FEW = 200  # scenes that one process has drawn before others have started
COLUMNS = ("image", "label", "classname", "mask", "split", "group", "background", "colour")


def background_for(home: str, kind: str, rng: Generator) -> str:
    """A background for what is at home on `home`: its `own`, a `random` one of all, or an `exchanged` other one.

    Raises:
        ValueError: there is no such kind.
    """
    every = list(BACKGROUNDS)
    if kind == "own":
        return home
    if kind == "random":
        return every[int(rng.integers(len(every)))]
    if kind == "exchanged":
        others = [background for background in every if background != home]
        return others[int(rng.integers(len(others)))]
    raise ValueError(f"no kind of background {kind!r}")


@dataclass(frozen=True)
class _Job:
    """One scene to draw: where to, and what."""

    root: Path
    stem: str
    subject: Subject
    label: int
    split: str
    group: str
    background: str
    seed: tuple[int, ...]
    size: int
    within: Path | None = None


@dataclass(frozen=True)
class _Drawn:
    """A scene: its row in the index, and whether its files were there."""

    row: dict[str, str | int]
    whole: bool


def write_scenes(
    root: Path,
    *,
    scenes: Scenes = "classes",
    seed: int = 1,
    train_per_class: int = 16,
    test_per_class: int = 24,
    size: int = 128,
    classes: int | None = None,
    jobs: int | None = None,
    within: Path | None = None,
) -> Path:
    """Draw the scenes and write ``index.csv``, ``images/`` and ``masks/``; scenes that are there, undamaged, are kept.

    Args:
        root: folder of the data set. scenes: of object classes, or of kinds of objects, see `subjects`.
        seed: decides every scene; the same seed gives the same files.
        train_per_class: training images per class, all on their own background.
        test_per_class: test images per class, half on their own background, half exchanged.
        size: pixels per side. classes: only the first so many classes. jobs: processes; None: one per core.
        within: a folder at or above `root` that has to be there all the time; None: any is made.

    Returns:
        the path of the index.

    Raises:
        DaptError: a file cannot be written, or there is another index or picture: somebody may have edited it.
    """
    jobs_to_do = _jobs(root, scenes, seed, train_per_class, test_per_class, size, classes)
    work = [replace(job, within=within) for job in jobs_to_do]
    workers = min(jobs or cores(), 8)
    several = workers > 1 and len(work) >= FEW
    index = root / INDEX
    with worker_pool(workers) if several else nullcontext() as pool:

        def each(function: Callable[[_Job], _Drawn], jobs: list[_Job], label: str) -> list[_Drawn]:
            done = pool.map(function, jobs, chunksize=16) if pool else map(function, jobs)
            return list(progress(done, len(jobs), label, "scenes"))

        if not index.is_file():
            drawn = each(_draw, work, "drawing scenes")
            write_text(index, _index_text(drawn), within=within)
            return index
        found = each(partial(_draw, write=False), work, "looking at scenes")
        if index.read_bytes() != _index_text(found).encode():
            raise _edited(index)
        each(_draw, [job for job, scene in zip(work, found, strict=True) if not scene.whole], "drawing scenes")
    return index


def _index_text(drawn: list[_Drawn]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(scene.row for scene in drawn)
    return text.getvalue()


def _edited(path: Path) -> DataError:
    return DataError(
        f"{path} is not as dapt wrote it: it was edited, or is damaged.",
        todo="Keep it elsewhere, or remove it: it is made again then.",
    )


def scene_names(
    root: Path,
    *,
    scenes: Scenes = "classes",
    seed: int,
    train_per_class: int,
    test_per_class: int,
    size: int,
    classes: int | None,
) -> list[str]:
    """What `write_scenes` writes with the same arguments, by path in the folder."""
    stems = [job.stem for job in _jobs(root, scenes, seed, train_per_class, test_per_class, size, classes)]
    return [INDEX, *(f"{folder}/{stem}.png" for folder in ("images", "masks") for stem in stems)]


def _jobs(
    root: Path,
    scenes: Scenes,
    seed: int,
    train_per_class: int,
    test_per_class: int,
    size: int,
    classes: int | None,
) -> Iterator[_Job]:
    for split, count in (("train", train_per_class), ("test", test_per_class)):
        for label, subject in enumerate(subjects(scenes)[:classes]):
            for number in range(count):
                key = (seed, ("train", "test").index(split), label, number)
                group = "exchanged" if split == "test" and number % 2 else "own"
                background = background_for(subject.home, group, np.random.default_rng(key))
                stem = f"{split}/{subject.folder}/{number:03d}_{background}"
                yield _Job(root, stem, subject, label, split, group, background, key, size)


def _shows(path: Path, pixels: np.ndarray) -> bool:
    """Whether a scene is there already; what is no picture any more is not.

    Raises:
        DataError: there is another picture.
    """
    if not path.is_file():
        return False
    try:
        with decoded(path) as picture:
            found = np.array(picture)
    except (*DAMAGE, Refusal):
        return False
    if not np.array_equal(found, pixels):
        raise _edited(path)
    return True


def _draw(job: _Job, *, write: bool = True) -> _Drawn:
    """Render a scene and look what of it is there; with `write`, write the rest."""
    image, mask = (job.root / folder / f"{job.stem}.png" for folder in ("images", "masks"))
    seed = (*job.seed, 1)  # not the numbers that chose the background
    subject = job.subject
    scene = render(subject.drawn, job.background, seed, job.size, colour=subject.colour, spots=subject.spots)
    left = [(path, pixels) for path, pixels in ((image, scene.image), (mask, scene.mask)) if not _shows(path, pixels)]
    for path, pixels in left if write else ():
        write_with(path, partial(Image.fromarray(pixels).save, format="PNG"), within=job.within)
    row: dict[str, str | int] = {
        "image": f"images/{job.stem}.png",
        "label": job.label,
        "classname": subject.name,
        "mask": f"masks/{job.stem}.png",
        "split": job.split,
        "group": job.group,
        "background": job.background,
        "colour": scene.colour or "",
    }
    return _Drawn(row, not left)
