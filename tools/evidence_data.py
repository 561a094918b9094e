"""The data that the settings of docs/evidence.md are chosen on, made of the training and validation photographs alone.

`butterflies-choosing` and `caltech101-choosing` are CSV indexes beside links to the folders of photographs: of each
class the first `TRAIN` training images, in the order of the digests of their names, are `train`, all others and the
validation images are `test`. No test image of the data is in them, so that what is chosen has not seen one.

    python tools/evidence_data.py --shared ../shared --out runs/evidence/data
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from dapt.console import say
from dapt.errors import DataError
from dapt.files import write_text
from dapt.wording import listing

TRAIN = 22  # as many as the smallest class of both has, and enough to draw 16 from
SETS = {"butterflies-choosing": "leeds_butterfly", "caltech101-choosing": "caltech101"}
COLUMNS = ("image", "mask", "classname", "split")
FOLDERS = ("images", "masks")
Row = Mapping[str, str]


def digest(row: Row) -> str:
    """What decides the order of images: their names alone."""
    return hashlib.sha256(Path(row["image"]).name.encode()).hexdigest()


def choosing_split(rows: Iterable[Row]) -> list[dict[str, str]]:
    """The rows of an index without its test images, divided anew into `train` and `test`.

    Args:
        rows: with `image`, `classname` and `split`.
    """
    known = [dict(row) for row in rows if row["split"] in ("train", "val")]
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in known:
        if row["split"] == "train":
            groups[row["classname"]].append(row)
    chosen = {row["image"] for group in groups.values() for row in sorted(group, key=digest)[:TRAIN]}
    return [{**row, "split": "train" if row["image"] in chosen else "test"} for row in known]


def index_text(rows: Iterable[Row]) -> str:
    """The CSV index of some rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([row[column] for column in COLUMNS] for row in rows)
    return text.getvalue()


def link(source: Path, target: Path) -> None:
    """A link to a folder, where there is none yet."""
    if source.is_dir() and not target.exists():
        target.symlink_to(source.resolve(), target_is_directory=True)


def make(shared: Path, out: Path) -> None:
    """Write both indexes and their links; the same photographs make the same bytes.

    Raises:
        DataError: an index lacks a column. OSError: it cannot be read.
    """
    for name, own in SETS.items():
        source = shared / "data" / own
        with (source / "index.csv").open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
            if missing:
                raise DataError(f"{source / 'index.csv'} has no column {listing(missing)}.")
            rows = choosing_split(table)
        write_text(out / name / "index.csv", index_text(rows))
        for folder in FOLDERS:
            link(source / folder, out / name / folder)
        train = sum(row["split"] == "train" for row in rows)
        say(f"{out / name}: {train} training images to draw from, {len(rows) - train} to choose by")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/")
    parser.add_argument("--out", type=Path, default=Path("runs/evidence/data"))
    args = parser.parse_args()
    make(args.shared, args.out)


if __name__ == "__main__":
    from ending import ending

    ending(main)
