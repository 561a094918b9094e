"""docs/limits.md says what the program does."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from dapt import limits
from dapt.cli.options import MaxPixelsOption
from dapt.config import RunSettings
from dapt.data.catalog.readers import aircraft, class_names_file, voc
from dapt.data.catalog.readers import coop_split as split_file
from dapt.data.fetch.download import show_bytes
from dapt.data.load.picture_files import FORMATS
from dapt.errors import DataError
from dapt.limits import MIB

DOCS = Path(__file__).parents[1] / "docs" / "limits.md"


def millions(bytes_: int) -> str:
    return f"{bytes_ / 1e6:,.0f} MB"


SAID = {
    "MAX_MEGAPIXELS": (lambda n: f"{n:g} million (`max_pixels`)"),
    "DRAFT_TIMES": (lambda n: f"| {n} × `max_pixels` |"),
    "LARGE_PIXELS": (lambda n: f"more than {n / 1e6:.1f} million pixels"),
    "PIXELS_AT_A_TIME": (lambda n: f"{n / 1e6:g} million, or one larger image"),
    "DOWNLOAD_LEFT": (lambda n: f"stops while {show_bytes(n)} of the disk are still free"),
    "CSV_BYTES": (lambda n: f"| {millions(n)}, "),
    "CSV_COLUMNS": (lambda n: f", {n:,} columns"),
    "CSV_CELLS": (lambda n: f", {n:,} cells"),
    "CSV_FIELD": (lambda n: f", {n:,} characters in a field"),
    "LIST_BYTES": (lambda n: f"published split files | {millions(n)} |"),
    "ANNOTATION_BYTES": (lambda n: f"(`dapt masks import`), each file | {millions(n)} |"),
    "PICKLE_BYTES": (lambda n: f"| {n // MIB} MiB, "),
    "PICKLE_OBJECTS": (lambda n: f", {n:,} lists and objects"),
    "FOLDER_DEPTH": (lambda n: f"folders of photos within folders | {n} |"),
    "ARCHIVE_RATIO": (lambda n: f"| {n} × the archive, "),
    "ARCHIVE_ALWAYS": (lambda n: f"and always {n // MIB} MiB"),
    "ARCHIVE_ANNOUNCED": (lambda n: f"| {n} × the download that the catalog tells"),
    "ARCHIVE_MEMBERS": (lambda n: f"| entries | {n:,} |"),
    "ARCHIVE_MEMBERS_PER_IMAGE": (lambda n: f"| {n} per image, "),
    "ARCHIVE_MEMBERS_ALWAYS": (lambda n: f"and always {n:,} |"),
    "ARCHIVE_HEADER": (lambda n: f"of one entry of a tar | {show_bytes(n)} |"),
    "ARCHIVE_SHARED_KEYS": (lambda n: f"for all entries | {n} |"),
    "ARCHIVE_DIRECTORY": (lambda n: f"table of contents of a zip | {millions(n)} |"),
    "ARCHIVE_DEPTH": (lambda n: f"folders within folders | {n} |"),
}


def test_every_ceiling_is_in_the_docs() -> None:
    names = {name for name in vars(limits) if name.isupper()} - {"KIB", "MIB", "GIB"}
    assert names == set(SAID)
    text = DOCS.read_text("utf-8")
    for name, told in SAID.items():
        assert told(getattr(limits, name)) in text, name


def test_formats_are_in_the_docs() -> None:
    shown = {"WEBP": "WebP", "JPEG2000": "JPEG 2000"}
    line = re.search(r"Formats that are read: (.*)\n", DOCS.read_text("utf-8"))[1]
    assert [name for name in FORMATS if shown.get(name, name) not in line] == []


def test_the_option_tells_the_default() -> None:
    told = MaxPixelsOption.__metadata__[0].help
    assert f"[default: {RunSettings.model_fields['max_pixels'].default:g}]" in told


def test_python_itself_has_the_ceiling_on_fields() -> None:
    assert csv.field_size_limit() == limits.CSV_FIELD


@pytest.mark.parametrize("module", [aircraft, class_names_file, voc, split_file])
def test_lists_have_a_ceiling(module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dapt.data.catalog.base import CATALOG

    monkeypatch.setattr(module, "LIST_BYTES", 10)
    path = tmp_path / ("aeroplane_train.txt" if module is voc else "variants.txt")
    path.write_text("n01440764 tench\n" * 3)
    read = {
        aircraft: lambda: aircraft._lines("variants.txt", [tmp_path], CATALOG.get("fgvc_aircraft")),
        class_names_file: lambda: class_names_file.parse_class_names(path),
        voc: lambda: voc._labels(tmp_path, "train", CATALOG.get("voc2012")),
        split_file: lambda: split_file.is_published(path, CATALOG.get("oxford_pets")),
    }[module]
    with pytest.raises(DataError, match="cannot be read: it has 48 bytes, files of up to 10 bytes are read"):
        read()
