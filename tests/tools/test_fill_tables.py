"""The tables of docs/results.md are what their commands print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import dapt.results

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "fill_tables.py"
PAGE = """# A page

```bash
dapt report {store} --format markdown
```

<!-- printed -->
<!-- end -->

After it.
"""


def fill(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(TOOL), str(page), *options]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_table_is_put_beneath_its_command_and_checked(tmp_path: Path) -> None:
    row = {
        "run": "a",
        "kind": "run",
        "method": "coop",
        "dapt": False,
        "data": "d",
        "shots": 4,
        "seed": 1,
        "subset": "all",
    }
    dapt.results.save(pd.DataFrame([{**row, "test/accuracy": 12.5}]), tmp_path / "store.parquet")
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(store=tmp_path / "store.parquet"))
    assert fill(page, "--check").returncode == 1
    assert fill(page).returncode == 0
    assert "| CoOp | 12.50 |" in page.read_text()
    assert page.read_text().endswith("After it.\n")
    done = fill(page, "--check")
    assert (done.returncode, done.stdout.strip()) == (0, "All tables are as printed.")


@pytest.mark.long
def test_results_are_what_the_commands_print() -> None:
    done = fill(ROOT / "docs" / "results.md", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
