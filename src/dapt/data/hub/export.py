"""Writing the images of a `datasets` table as files with an ``index.csv``."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from dapt.console import progress, say, warn
from dapt.data.hub.columns import Columns, choose_columns, choose_splits, number_classes
from dapt.data.items import UNLABELLED, ImageSet, check_classes
from dapt.data.load.colours import to_rgb
from dapt.data.load.picture_files import DAMAGE, Refusal, header, prepare
from dapt.data.load.pixels import decoding, take_room, without_pillow_limit
from dapt.data.load.reading import Reading
from dapt.errors import DataError
from dapt.files import PART, part_of, write_json, write_text
from dapt.outputs import check_folder
from dapt.regular import open_regular

INDEX = "index.csv"
SOURCE = "source.json"
SIGNATURES = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"GIF8", ".gif"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"BM", ".bmp"),
)
WHOLE_NUMBERS = ("I", "I;16", "I;16B")
PNG_MODES = {"1", "L", "LA", "I;16", "P", "RGB", "RGBA"}


@dataclass(frozen=True)
class _Row:
    """One image. split: of the data. number: within the split. image, mask: encoded content and path, or None."""

    split: str
    number: int
    image: Mapping[str, Any] | None
    mask: Mapping[str, Any] | None


def export(splits: Mapping[str, Any], choices: Mapping[str, str], folder: Path, shown: str) -> None:
    """Write the images, as encoded, the masks as PNG, and last the index; an interrupted export is gone on with.

    Where another process is at it, its end is waited for.

    Args:
        splits: `datasets.Dataset` by split. choices: explicit columns and splits. folder: where to.
        shown: name of the data for messages.

    Raises:
        DataError: columns or splits cannot be told, there are no images, or the disk refuses.
    """
    roles = choose_splits(list(splits), choices, shown)
    tables = {split: splits[split].with_format(None) for split in roles}
    features = next(iter(tables.values())).features
    columns = choose_columns(features, choices, shown)
    for split, table in tables.items():
        for column in (name for name in vars(columns).values() if name):
            if table.features.get(column) != features[column]:
                raise DataError(f"The column '{column}' of {shown} differs in the split '{split}'.")
    count = sum(len(table) for table in tables.values())
    if count == 0:
        raise DataError(f"{shown} has no images.")
    labels, names = _labels(tables, columns, shown)
    size = sum(encoded_size(table, name) for table in tables.values() for name in (columns.image, columns.mask) if name)
    check_folder(folder, todo="Choose another --root.")
    _announce(splits, roles, columns, shown)
    say(f"Writing {count} images ({size_text(size)}) to {folder}.")
    with _alone(folder):
        if not (folder / INDEX).is_file():
            _write_all(tables, columns, roles, folder, shown, labels, names)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only process that writes there: several runs may be started at once on the same data."""
    from filelock import FileLock, Timeout

    folder.parent.mkdir(parents=True, exist_ok=True)
    path = _lock_of(folder)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another process writes {folder}; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        if os.name != "nt":  # who waits for it then finds the index; an open file cannot be removed on Windows
            path.unlink(missing_ok=True)
        lock.release()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def sweep_lock(folder: Path) -> None:
    """Remove the lock that a process has left which was killed after its last file; the index is there."""
    path = _lock_of(folder)
    if os.name != "nt" and path.exists() and os.access(folder.parent, os.W_OK):
        path.unlink(missing_ok=True)


def _write_all(
    tables: Mapping[str, Any],
    columns: Columns,
    roles: Mapping[str, str],
    folder: Path,
    shown: str,
    labels: list[int],
    names: list[str],
) -> None:
    count = sum(len(table) for table in tables.values())
    records: list[dict[str, str]] = []
    groups = _groups(tables, columns)
    try:
        for left_over in folder.rglob(".*.part"):
            if PART.fullmatch(left_over.name):
                left_over.unlink()
        for position, row in enumerate(progress(_rows(tables, columns), count, "writing images", "images")):
            paths = _write(row, folder, roles[row.split], shown)
            if paths is not None:
                record = _record(paths[0], roles[row.split], labels[position], names)
                mask = {"mask": paths[1]} if columns.mask else {}
                group = {"group": groups[position]} if groups else {}
                records.append({**record, **mask, **group})
        if len(records) < count:
            warn(f"{count - len(records)} rows of {shown} hold no image and are left out.")
        if hasattr(os, "sync"):
            os.sync()  # the index vouches for the images, so they must be on the disk before it
    except OSError as error:
        raise DataError(
            f"Could not write to {folder}: {error.strerror or error}.",
            todo="Free some space or choose another place with --root, then run again: it goes on from there.",
        ) from error
    write_json(folder / SOURCE, {"data": shown, "columns": vars(columns), "splits": roles, "images": len(records)})
    _write_index(folder / INDEX, records, shown)


def _announce(splits: Mapping[str, Any], roles: Mapping[str, str], columns: Columns, shown: str) -> None:
    uses = ", ".join(
        f"'{split}' as {role}" if role != "all" else f"'{split}', divided" for split, role in roles.items()
    )
    say(f"Reading {shown}, {columns}; splits {uses}.")
    unused = [split for split in splits if split not in roles]
    if unused:
        warn(f"The splits {', '.join(unused)} of {shown} are not used; see ?train=, val= and test=.")
    if columns.mask:
        say("Masks: white (at least 128) is taken for foreground; for other masks see --mask-format.")


def _values(tables: Mapping[str, Any], column: str) -> list[Any]:
    return [value for table in tables.values() for value in table.select_columns([column])[:][column]]


def _labels(tables: Mapping[str, Any], columns: Columns, shown: str) -> tuple[list[int], list[str]]:
    if columns.label is None:
        return [UNLABELLED] * sum(len(table) for table in tables.values()), []
    feature = next(iter(tables.values())).features[columns.label]
    labels, names = number_classes(feature, _values(tables, columns.label))
    try:
        check_classes(ImageSet(shown, Path(), tuple(name.replace("_", " ") for name in names)))
    except DataError as error:  # --names is read only after this
        todo = "Rename the classes in the data set, or choose another column of classes with ?label=COLUMN."
        raise DataError(error.what, todo=todo) from error
    if names and names[0].startswith("class ") and not hasattr(feature, "names"):
        warn(f"The classes of {shown} are only numbered; name them with --names FILE, or choose ?label=COLUMN.")
    unused = len(getattr(feature, "names", names)) - len(names)
    if unused:
        warn(f"{unused} classes of {shown} have no image and are left out.")
    return labels, names


def _groups(tables: Mapping[str, Any], columns: Columns) -> list[str]:
    if columns.group is None:
        return []
    feature = next(iter(tables.values())).features[columns.group]
    named = feature.int2str if hasattr(feature, "int2str") else str
    return ["" if value is None else named(value) for value in _values(tables, columns.group)]


def _rows(tables: Mapping[str, Any], columns: Columns) -> Iterator[_Row]:
    import datasets

    wanted = [name for name in (columns.image, columns.mask) if name]
    for split, table in tables.items():
        plain = table.select_columns(wanted)
        for name in wanted:
            plain = plain.cast_column(name, datasets.Image(decode=False))
        for number, row in enumerate(plain):
            yield _Row(split, number, row[columns.image], row[columns.mask] if columns.mask else None)


def _write(row: _Row, folder: Path, role: str, shown: str) -> tuple[str, str] | None:
    """Write one image and its mask; their paths in the folder, None where the row holds no image."""
    where = f"{shown}, split {row.split}, row {row.number}"
    content = _content(row.image, where)
    if content is None:
        return None
    stem = f"{role}/{row.number:06d}"
    suffix = image_suffix(content)
    if suffix is None:
        content, suffix = as_png(content), ".png"
    image = f"images/{stem}{suffix}"
    _put(folder / image, content)
    mask_content = _content(row.mask, where)
    if mask_content is None:
        return image, ""
    mask = f"masks/{stem}.png"
    _put(folder / mask, mask_content if image_suffix(mask_content) == ".png" else as_png(mask_content))
    return image, mask


def _content(value: Mapping[str, Any] | None, where: str) -> bytes | None:
    if value is None or (value.get("bytes") is None and not value.get("path")):
        return None
    if value.get("bytes") is not None:
        return bytes(value["bytes"])
    path = Path(value["path"])
    if not path.is_file():
        raise DataError(
            f"The data set names the image file {path}, which is not there.",
            where=where,
            todo="Restore it, or save the data set again with its images.",
        )
    with open_regular(path) as file:
        return file.read()


def image_suffix(content: bytes) -> str | None:
    """The file extension for encoded image content, None for other formats than the usual ones."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    return next((suffix for signature, suffix in SIGNATURES if content.startswith(signature)), None)


def as_png(content: bytes) -> bytes:
    """The image as PNG; content that is not decoded stays as it is, and is found when images are checked."""
    try:
        with without_pillow_limit, decoding(), header(io.BytesIO(content)) as opened:
            take_room(prepare(opened))
            image = ImageOps.exif_transpose(opened)
            written = io.BytesIO()
            if image.mode in WHOLE_NUMBERS:  # converted to RGB they would be clipped at 255
                image = image.convert("I;16")
            elif image.mode not in PNG_MODES:
                image.format = opened.format
                image = _plain(image)
            image.save(written, "PNG")
    except (Refusal, *DAMAGE):
        return content
    return written.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    """A picture in a mode that PNG has: transparent parts stay so, what is deep or Lab becomes RGB."""
    if image.mode in ("RGBa", "La", "PA"):
        return image.convert({"La": "LA"}.get(image.mode, "RGBA"))
    return to_rgb(image, Reading())


def _put(path: Path, content: bytes) -> None:
    """Write a file, whole; it is there already when an export is gone on with, unless a crash took its content."""
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = part_of(path)
    temporary.write_bytes(content)
    temporary.replace(path)


def _record(image: str, role: str, label: int, names: list[str]) -> dict[str, str]:
    known = label != UNLABELLED
    record = {
        "image": image,
        "label": str(label) if known else "",
        "classname": names[label] if known else "",
    }
    return record if role == "all" else {**record, "split": role}


def _write_index(path: Path, records: list[dict[str, str]], shown: str) -> None:
    if not records:
        raise DataError(f"No row of {shown} holds an image.")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    write_text(path, text.getvalue())


def encoded_size(table: Any, column: str) -> int:
    """Bytes of the encoded images of a column, in the table or in the files it names."""
    import pyarrow
    import pyarrow.compute as compute

    total = 0
    for chunk in table.data.column(column).chunks:
        if not pyarrow.types.is_struct(chunk.type):
            total += chunk.nbytes
            continue
        inside = compute.binary_length(chunk.field("bytes"))
        total += compute.sum(inside).as_py() or 0
        outside = chunk.field("path").filter(compute.is_null(inside)).to_pylist()
        total += sum(Path(path).stat().st_size for path in outside if path and Path(path).is_file())
    return total


def size_text(size: int) -> str:
    """Bytes as people read them."""
    for unit, step in (("GB", 10**9), ("MB", 10**6)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{max(size, 1) / 1000:.0f} kB" if size >= 1000 else f"{size} bytes"
