"""Where features are kept, and what their names depend on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.data.resolve import load_data
from dapt.errors import DataError
from dapt.runs.kept_features import bank_of, content_of, features_folder
from helpers import make_folder, tiny_clip


def config(**changes: object):
    return make_config({"data": "-", "method": "coop", **changes})


def test_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPT_FEATURES", str(tmp_path / "there"))
    assert features_folder() == tmp_path / "there"
    assert bank_of(config(), tiny_clip()) is None, "off"
    bank = bank_of(config(features="auto"), tiny_clip())
    assert bank is not None
    assert bank.folder == tmp_path / "there"
    monkeypatch.delenv("DAPT_FEATURES")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert features_folder() == tmp_path / "dapt" / "features"


def test_the_backbone_and_its_precision_are_a_part_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPT_FEATURES", str(tmp_path))
    banks = [
        bank_of(config(features="on"), tiny_clip()),
        bank_of(config(features="on", precision="bf16"), tiny_clip()),
        bank_of(config(features="on", matte="black"), tiny_clip()),
    ]
    other = tiny_clip()
    next(iter(other.model.parameters())).data.add_(1)
    banks.append(bank_of(config(features="on"), other))
    assert len({bank.key(["x"], {}) for bank in banks if bank is not None}) >= 3
    again = bank_of(config(features="on"), tiny_clip())
    assert again is not None
    assert banks[0] is not None
    assert again.key(["x"], {}) == banks[0].key(["x"], {})


def test_content_not_names(tmp_path: Path) -> None:
    items = load_data(str(make_folder(tmp_path / "photos", per_class=4))).split("train")
    before = content_of(items)
    assert len(set(before)) == len(items)
    moved = items[0].path.rename(items[0].path.with_name("other.png"))
    again = load_data(str(tmp_path / "photos"))
    digests = {
        item.name: digest
        for split in again.splits.values()
        for item, digest in zip(split, content_of(split), strict=True)
    }
    assert before[0] in digests.values()
    moved.unlink()
    with pytest.raises(DataError, match="Could not read"):
        content_of(items[:1])
