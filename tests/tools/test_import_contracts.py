"""The import contracts hold, and each of them fails when one import is turned around."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import REPOSITORY

PARTS = ("src/dapt", "tools")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its contracts, to be spoilt."""
    pytest.importorskip("importlinter")
    root = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        shutil.copytree(REPOSITORY / part, root / part, ignore=shutil.ignore_patterns("__pycache__", "bundled_model"))
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    return root


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """`lint-imports` in a tree; nothing of the package is run."""
    command = "import sys; sys.path[:0] = ['src', '.']; from importlinter.cli import lint_imports; "
    command += "sys.exit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", command], cwd=root, capture_output=True, text=True, check=False)


def test_the_contracts_are_kept(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout
    assert "4 kept, 0 broken" in done.stdout


TURNED = (
    ("clip/frozen.py", "from dapt.model import needs", "between rooms"),
    ("objectives/base.py", "def late() -> None:\n    import dapt.runs.train", "between rooms"),
    ("data/items.py", "from dapt.data.load import loader", "within data"),
    ("model/needs.py", "from dapt.model import classifier", "No import circle"),
    ("methods/base.py", "import torch", "without importing torch"),
    ("cli/train.py", "from dapt.runs import train", "without importing torch"),
)


def test_arrows_turned_around_are_found(tree: Path) -> None:
    for file, line, _ in TURNED:
        with (tree / "src" / "dapt" / file).open("a", encoding="utf-8") as text:
            text.write(f"\n{line}\n")
    done = lint(tree)
    assert done.returncode == 1
    kinds = {contract for _, _, contract in TURNED}
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert len(broken) == len(kinds), done.stdout
    assert all(any(kind in text for text in broken) for kind in kinds)
    said = done.stdout.replace("\n", " ")
    for file, _, _ in TURNED:
        assert "dapt." + file.removesuffix(".py").replace("/", ".") in said
