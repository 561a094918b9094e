"""The composites of an audit as ordinary data sets, one for each variant: to be looked at, evaluated or trained on."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dapt.console import progress
from dapt.data.items import ImageSet
from dapt.environment import cores
from dapt.evaluation.audit.donors import NONE
from dapt.evaluation.audit.variants import LENT
from dapt.files import write_files, write_text
from dapt.runs.audit_folder import AuditFolder
from dapt.runs.audit_run import Audit
from dapt.runs.making_masks import png_of

INDEX = "index.csv"
TOGETHER = 16  # images whose composites are synced together
COLUMNS = ("image", "classname", "mask", "split", "source", "background", "background_class", "object_percent")


def composite_files(audit: Audit) -> list[str]:
    """All that is written, by path in the folder; the tables come first, without which the pictures are no data."""
    pictures = [
        f"{variant}/{folder}/{number}.png"
        for variant in audit.variants
        for number in _numbers(audit, variant)
        for folder in ("images", "masks")
    ]
    return [*(f"{variant}/{INDEX}" for variant in audit.variants), *pictures]


def write_composites(audit: Audit, folder: AuditFolder, *, overwrite: bool = False, resume: bool = False) -> None:
    """Write every variant that was made as ``VARIANT/index.csv`` with ``images/`` and ``masks/`` beside it.

    Pictures have the size at which models were asked, and masks show the object, also where it cannot be seen. The
    table names for each picture its class and split, the image that it was made from (``source``), and whose background
    it shows, if that is another's. Tables are written when all pictures are there; an unfinished folder is made again.

    Raises:
        DaptError: the folder cannot be used, or the file system refuses.
    """
    scenes, splits, files = audit.scenes, _splits(audit.source.data), composite_files(audit)
    with folder.open(files, overwrite=overwrite, resume=resume) as root, ThreadPoolExecutor(cores()) as pool:
        for variant in audit.variants:
            (root / variant / "images").mkdir(parents=True, exist_ok=True)
            (root / variant / "masks").mkdir(exist_ok=True)

        def pictures_of(place: int) -> list[tuple[Path, bytes]]:
            mask = png_of(scenes.cutouts[place].inside.numpy().astype(np.uint8) * 255)
            made = scenes.variants(place, audit.variants)
            return [
                (root / variant / kind / f"{place:06d}.png", content)
                for variant, picture in made.items()
                for kind, content in (
                    ("images", png_of(picture.permute(1, 2, 0).contiguous().numpy())),
                    ("masks", mask),
                )
            ]

        places = audit.material.judged
        batches = [places[start : start + TOGETHER] for start in range(0, len(places), TOGETHER)]
        for batch in progress(batches, len(batches), "writing composites", "batches"):
            write_files((part for parts in pool.map(pictures_of, batch) for part in parts), within=root)
        for variant in audit.variants:
            write_text(root / variant / INDEX, _table(audit, variant, splits), make_parents=False)


def _numbers(audit: Audit, variant: str) -> list[str]:
    """The names of a variant's pictures, in the order of the images."""
    return [f"{place:06d}" for place in audit.material.judged if _is_made(audit, variant, place)]


def _is_made(audit: Audit, variant: str, place: int) -> bool:
    return variant not in LENT or audit.material.donors.to(variant, place) != NONE


def _table(audit: Audit, variant: str, splits: dict[str, str]) -> str:
    material = audit.material
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for place in material.judged:
        item, label = material.items[place], material.labels[place]
        if not _is_made(audit, variant, place):
            continue
        donor = material.donors.to(variant, place)
        lent = ["", ""] if donor == NONE else [material.items[donor].name, material.class_of(donor)]
        number = f"{place:06d}"
        row = [
            f"images/{number}.png",
            material.names[label],
            f"masks/{number}.png",
            splits[item.name],
            item.name,
            *lent,
        ]
        writer.writerow([*row, f"{100 * material.cutouts[place].share:.2f}"])
    return text.getvalue()


def _splits(data: ImageSet) -> dict[str, str]:
    """The split of every image; of several the last, so that test images stay test images."""
    order = sorted(data.splits, key=lambda split: ("train", "val", "test").index(split))
    return {item.name: split for split in order for item in data.splits[split]}
