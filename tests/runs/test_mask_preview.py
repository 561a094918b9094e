"""Contact sheets: which images are on them, in which order, and what is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.items import Item
from dapt.data.load.picture_files import comment_of
from dapt.data.masks.mask_entries import MaskEntry
from dapt.errors import ConfigError
from dapt.runs.mask_folder import COMMENT
from dapt.runs.mask_preview import LINE, SHEET, SIDE, sheet_names, worst_first
from dapt.runs.write_masks import write_masks


def entry(coverage: float, score: float | None = None, kind: str = "usable") -> MaskEntry:
    return MaskEntry(kind, coverage, score)


def test_the_worst_come_first() -> None:
    items = [Item(Path(name), 0, name) for name in "abcd"]
    covered = {"a": entry(0.5), "b": entry(0.97), "c": entry(0.0, kind="not found"), "d": entry(0.1)}
    assert [item.name for item, _ in worst_first(items, covered, None)] == ["c", "b", "d", "a"]
    assert [figure for _, figure in worst_first(items, covered, None)][:2] == ["not found", "97% covered"]
    scored = {**covered, "a": entry(0.5, 0.1), "b": entry(0.97, 0.9)}
    assert [item.name for item, _ in worst_first(items, scored, None)] == ["a", "b", "c", "d"]
    assert worst_first(items, scored, None)[0][1] == "score 0.10, 50% covered"
    measured = {"b": 0.5, "d": 0.25}
    assert [item.name for item, _ in worst_first(items, scored, measured)] == ["d", "b", "a", "c"]
    assert worst_first(items, scored, measured)[0][1] == "IoU 25%, 10% covered"


def test_how_many_sheets() -> None:
    assert sheet_names(1) == sheet_names(SHEET) == ["preview.jpg"]
    assert sheet_names(SHEET + 1) == ["preview.jpg", "preview-2.jpg"]


def test_sheets_are_written_shown_and_removed(photos: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    write_masks(str(photos), out, source="random", preview=True, preview_images=30)
    assert f"look at {out / 'preview.jpg'}, {out / 'preview-2.jpg'}" in capsys.readouterr().err
    with Image.open(out / "preview-2.jpg") as second, Image.open(out / "preview.jpg") as first:
        assert comment_of(out / "preview-2.jpg") == COMMENT
        assert second.height < first.height, "six images are left for it"
        pixels = np.asarray(first.convert("RGB")).astype(int)
    outline = (np.abs(pixels - np.array(LINE)).sum(axis=2) < 120).sum()
    assert outline > SIDE, "outlines are seen"
    (out / "preview-3.jpg").write_bytes(b"not ours")
    write_masks(str(photos), out, source="random", preview=True, preview_images=2)
    assert sorted(path.name for path in out.glob("preview*")) == ["preview-3.jpg", "preview.jpg"]
    with pytest.raises(ConfigError, match=r"preview-3\.jpg exists, and dapt did not make it"):
        write_masks(str(photos), out, source="random", preview=True, preview_images=60)
