"""The example of CONTRIBUTING.md is what it says: two new files, nothing else edited, and the method trains."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import REPOSITORY

FILE = re.compile(r"^# src/dapt/(\S+)$", re.MULTILINE)
# The folders of new files become part of the packages, as if the files were in them.
RUN = """
import sys
import dapt.methods, dapt.prompts
dapt.methods.__path__.append(sys.argv[1] + "/methods")
dapt.prompts.__path__.append(sys.argv[1] + "/prompts")
from dapt.cli.app import main
main(sys.argv[2:])
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The files of the example, where nothing else is."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    section = text.partition("## A method, a cue, a data set, an executor in one file")[2]
    block = section.partition("```python\n")[2].partition("```")[0]
    _, *parts = FILE.split(block)
    root = tmp_path / "new"
    for name, content in zip(parts[::2], parts[1::2], strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py")) == [
        "methods/deep_text.py",
        "prompts/deep_text.py",
    ]
    return root


def dapt(example: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, str(example), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--dapt", "--cue", "random"], id="dapt", marks=(pytest.mark.slow, pytest.mark.long)),
    ],
)
def test_it_trains_on_the_bundled_model(example: Path, photos: Path, tmp_path: Path, options: list[str]) -> None:
    out = tmp_path / "run"
    few = ["--epochs", 1, "--shots", 1, "--device", "cpu", "--out", out]
    done = dapt(example, "train", photos, "--method", "deep_text", "--model", "demo", *few, *options)
    assert done.returncode == 0, done.stderr
    results = json.loads((out / "results.json").read_text())
    assert results["method"] == "deep_text"
    assert results["counts"]["trainable_parameters"] == 9 * 4 * 128


@pytest.mark.slow
@pytest.mark.long
def test_more_layers_than_the_model_has_are_refused_in_words(example: Path, photos: Path, tmp_path: Path) -> None:
    given = ["--method", "deep_text", "--model", "demo", "--depth", 12, "--out", tmp_path / "run"]
    done = dapt(example, "train", photos, *given)
    assert done.returncode == 2
    assert "Prompt depth 12 is more than the 10 layers of the text tower." in done.stderr
