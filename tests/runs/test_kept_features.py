"""Where features are kept, and what their names depend on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import Tensor

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


def figures(log: Path) -> list[int]:
    """How many files of features a run has read and written, by its log."""
    (found,) = re.findall(r"features: (\d+) files read, (\d+) written", log.read_text())
    return [int(number) for number in found]


@pytest.mark.slow
@pytest.mark.long
def test_a_grid_side_by_side_makes_every_view_once(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dapt.experiments.run_all import run_all

    def grid(name: str, jobs: int) -> Path:
        monkeypatch.setenv("DAPT_FEATURES", str(tmp_path / f"bank-{name}"))
        given = {"data": str(table), "model": tiny_spec, "epochs": 3, "shots": 2, "device": "cpu", "features": "auto"}
        runs = {
            method: make_config({**given, "method": method, "out": str(tmp_path / name / method)})
            for method in ("coop", "kgcoop")
        }
        run_all(runs, jobs=jobs, label="training").whole()
        return tmp_path / name

    both, single = grid("both", 2), grid("single", 1)
    files = [{path.name for path in (tmp_path / f"bank-{name}").rglob("*.safetensors")} for name in ("both", "single")]
    assert files[0] == files[1]
    assert not [*(tmp_path / "bank-both").rglob("*.part")]
    read, written = (sum(column) for column in zip(*(figures(path) for path in both.rglob("log.txt")), strict=True))
    assert written == read == len(files[0])
    for method in ("coop", "kgcoop"):
        one, two = (load_file(folder / method / "prompts.safetensors") for folder in (both, single))
        for name, values in one.items():
            assert values.allclose(two[name], atol=1e-5), (method, name)


@pytest.mark.slow
@pytest.mark.long
def test_processes_of_one_run_share_the_views(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DAPT_FEATURES": str(tmp_path / "bank")}

    def train(name: str, devices: int) -> dict[str, Tensor]:
        words = ["train", table, "--model", tiny_spec, "--method", "coop", "--shots", 2, "--epochs", 3]
        words += ["--device", "cpu", "--features", "on", "--devices", devices, "--out", tmp_path / name]
        command = [sys.executable, "-m", "dapt", *map(str, words)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return load_file(tmp_path / name / "prompts.safetensors")

    two, one = train("two", 2), train("one", 1)
    assert figures(tmp_path / "one" / "log.txt")[1] == 0, "it reads what the two have made"
    for name, values in two.items():
        assert values.allclose(one[name], atol=1e-4), name
