"""`dapt compare` through the command line."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from dapt.cli.app import run as run_cli
from helpers import make_csv


@pytest.fixture(scope="module")
def runs(tmp_path_factory, tiny_spec: str) -> tuple[str, str]:
    """Two base-to-novel runs of a bundled table, one epoch each."""
    place = tmp_path_factory.mktemp("runs")
    table = make_csv(place / "table")
    for seed in ("1", "2"):
        words = ["train", str(table), "--model", tiny_spec, "--method", "coop", "--subset", "base", "--shots", "2"]
        words += ["--epochs", "1", "--seed", seed, "--device", "cpu", "--out", str(place / seed), "-q"]
        assert run_cli(words) == 0
    return str(place / "1"), str(place / "2")


def test_side_by_side_and_files(runs: tuple[str, str], tmp_path: Path, capsys) -> None:
    written, tree = tmp_path / "changed.csv", tmp_path / "all.json"
    assert run_cli(["compare", *runs, "--device", "cpu", "--write", str(written), "--json", str(tree)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "test/accuracy_base" in shown
    assert "base classes, 4 test images:" in shown
    assert "novel classes, 4 test images:" in shown
    assert "McNemar" in shown
    found = json.loads(tree.read_text())
    assert (found["comparison"], [part["classes"] for part in found["parts"]]) == ("runs", ["base", "novel"])
    rows = list(csv.DictReader(written.open()))
    assert len(rows) == sum(len(part["changed"]) for part in found["parts"])


def test_files_of_others_are_left_alone(runs: tuple[str, str], tmp_path: Path, capsys) -> None:
    mine = tmp_path / "experiment.yaml"
    mine.write_text("methods: [coop]\n")
    for option in ("--write", "--json"):
        assert run_cli(["compare", *runs, "--device", "cpu", option, str(mine)]) == 2
        assert f"experiment.yaml exists, and dapt {'compare ' * (option == '--write')}did not write" in (
            capsys.readouterr().err
        )
        assert mine.read_text() == "methods: [coop]\n"
    words = ["--write", str(tmp_path / "a.csv"), "--json", str(tmp_path / "a.json")]
    for _ in range(2):
        assert run_cli(["compare", *runs, "--device", "cpu", *words]) == 0
    assert run_cli(["compare", *runs, "--write", str(tmp_path / "b"), "--json", str(tmp_path / "b")]) == 2
    assert "--write and --json are one place" in capsys.readouterr().err


def test_files_only(runs: tuple[str, str], capsys) -> None:
    assert run_cli(["compare", *runs, "--no-images"]) == 0
    out = capsys.readouterr().out
    assert "--no-images leaves it out" in out
    assert "McNemar" not in out


def test_data_that_is_gone_leaves_the_rest(runs: tuple[str, str], tmp_path: Path, capsys) -> None:
    moved = []
    for run in runs:
        copy = Path(shutil.copytree(run, tmp_path / Path(run).name))
        text = (copy / "run.yaml").read_text()
        moved.append(str(copy))
        assert "table" in text
    table = Path(runs[0]).parent / "table"
    table.rename(tmp_path / "gone")
    try:
        assert run_cli(["compare", *moved, "--device", "cpu"]) == 0
        assert "Images were not compared: There is no data" in capsys.readouterr().out
        assert run_cli(["compare", *moved, "--device", "cpu", "--write", str(tmp_path / "x.csv")]) == 2
        assert not (tmp_path / "x.csv").exists()
    finally:
        (tmp_path / "gone").rename(table)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{a}"], "Two runs are compared, 1 was named"),
        (["{a}", "{b}", "{b}"], "3 were named"),
        (["{a}", "{a}"], "Both are the run"),
        (["{a}", "/no/where"], "/no/where"),
        (["{a}", "{b}", "--no-images", "--write", "x.csv"], "leaves out"),
    ],
)
def test_mistakes(runs: tuple[str, str], words: list[str], message: str, capsys) -> None:
    assert run_cli(["compare", *(word.format(a=runs[0], b=runs[1]) for word in words)]) == 2
    assert message in capsys.readouterr().err
