"""The catalog for people: sizes, masks, cards and the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from catalog_helpers import aircraft
from dapt.data.catalog.base import CATALOG, Download, HubFiles, Layout, Manual
from dapt.data.catalog.card import card, markdown_table, masks, overview, size

PLAIN = replace(CATALOG.get("dtd"), own_masks=None, partly_masked=False, sources=())


@pytest.mark.parametrize(("megabytes", "shown"), [(None, "unknown"), (0, "0 MB"), (999, "999 MB"), (1449, "1.4 GB")])
def test_size(megabytes: int | None, shown: str) -> None:
    assert size(replace(PLAIN, size_mb=megabytes)) == shown


def test_where_masks_come_from() -> None:
    collection = HubFiles("masks", "a/b", "x")
    assert masks(PLAIN) == "-"
    assert masks(replace(PLAIN, own_masks="trimap")) == "own, trimap"
    assert masks(replace(PLAIN, own_masks="labels", partly_masked=True)) == "own, labels, some"
    assert masks(replace(PLAIN, own_masks="trimap", sources=(collection,))) == "own, trimap; collection"


def test_a_card_tells_all(tmp_path: Path) -> None:
    dataset = replace(
        PLAIN,
        title="Textures\n",
        classes=2,
        counts={"train": 1200, "test": 34},
        layouts=(Layout("coop", "dtd", "images"), Layout("other", "textures")),
        sources=(
            Manual("masks", "Ask them."),
            HubFiles("images", "a/b", r"x\.zip$", alternative=1, repo_type="model"),
            Download("images", "http://x/y.tar", checksum="md5:1"),
        ),
        multi_label=True,
        notes=("one", "two"),
    )
    lines = card(dataset, tmp_path).splitlines()
    assert lines[0] == "dtd: Textures\\n"
    for line in (
        "classes: 2; images show several",
        "images: 1,234 (train 1,200, test 34)",
        f"on disk: no, not under {tmp_path}",
        "  coop: dtd/images",
        "  other: textures",
        "note: one",
        "note: two",
        "check it: dapt data verify dtd",
    ):
        assert line in lines
    start = lines.index("sources, the first that works is taken:")
    assert lines[start + 1 : start + 4] == [
        "  images: http://x/y.tar [md5:1]",
        r"  images (alternative 1): Hugging Face model a/b, files that match x\.zip$",
        "  masks: by hand. Ask them.",
    ]


def test_what_is_on_disk_is_told(tmp_path: Path) -> None:
    dataset = aircraft(tmp_path)
    assert f"on disk: yes, {tmp_path / dataset.folder} (coop)" in card(dataset, tmp_path).splitlines()
    lines = overview(tmp_path).splitlines()
    rows = {line.split()[0]: line for line in lines[1:-2]}
    assert sorted(rows) == CATALOG.names()
    assert rows["fgvc_aircraft"].endswith(f"coop ({dataset.folder})")
    assert rows["dtd"].endswith("  -")
    assert lines[-1] == f"data root: {tmp_path}"


def test_every_row_of_the_table_has_as_many_cells_as_its_head() -> None:
    lines = markdown_table().splitlines()
    assert len(lines) == 2 + len(CATALOG.names())
    assert {line.count("|") for line in lines} == {8}
