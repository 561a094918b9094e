"""The tables of README.md, docs/results.md and docs/evidence.md are what their commands print."""

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


def kept(store: Path, *shots: int) -> None:
    row = {"kind": "run", "method": "coop", "dapt": False, "data": "d", "seed": 1, "subset": "all"}
    rows = [{**row, "run": str(number), "shots": number, "test/accuracy": 12.5} for number in shots]
    dapt.results.save(pd.DataFrame(rows), store)


def test_a_table_is_put_beneath_its_command_and_checked(tmp_path: Path) -> None:
    kept(tmp_path / "store.parquet", 4)
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(store=tmp_path / "store.parquet"))
    assert fill(page, "--check").returncode == 1
    assert fill(page).returncode == 0
    assert "| CoOp | 12.50 |" in page.read_text()
    assert page.read_text().endswith("After it.\n")
    done = fill(page, "--check")
    assert (done.returncode, done.stdout.strip()) == (0, "All tables are as printed.")


def test_tables_of_the_study_are_filled_in_too(tmp_path: Path) -> None:
    row = {"kind": "evaluation", "method": "maple", "backbone": "b", "data": "d", "subset": "all", "shots": 8}
    row |= {"set/epochs": 10.0, "audit/original": 60.0, "audit/mixed_rand": 50.0, "audit/bg_gap": 2.0}
    rows = [{**row, "run": str(seed), "dapt": False, "seed": seed} for seed in (1, 2)]
    dapt.results.save(pd.DataFrame(rows), tmp_path / "store.parquet")
    page = tmp_path / "page.md"
    command = "python tools/evidence_figures.py {store}"
    page.write_text(
        PAGE.replace("dapt report {store} --format markdown", command.format(store=tmp_path / "store.parquet"))
    )
    assert fill(page).returncode == 0
    assert "| host | 2 |  | 55.0 | 60.0 | 50.0 | 2.0 |" in page.read_text()
    assert fill(page, "--check").returncode == 0


def test_pictures_are_drawn_by_the_command_before_them(tmp_path: Path) -> None:
    kept(tmp_path / "store.parquet", 4, 16)
    picture = tmp_path / "images" / "shots-accuracy-by-shots-d-2col.svg"
    page = tmp_path / "page.md"
    page.write_text(
        f"```bash\ndapt report {tmp_path / 'store.parquet'} --table few-shot --figures figures\n```\n\n"
        f"![Curves](images/{picture.name})\n"
    )
    done = fill(page, "--check")
    assert done.returncode == 1
    assert f"{picture} is missing" in done.stdout
    assert fill(page).returncode == 0
    assert "shots per class" in picture.read_text()
    assert fill(page, "--check").returncode == 0
    page.write_text(page.read_text().replace("shots-acc", "no-such"))
    done = fill(page)
    assert done.returncode == 2
    assert "makes no no-such" in done.stderr
    assert picture.name in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("# A page\n", "has no command"),
        (PAGE.format(store="s").replace("<!-- end -->", ""), "Each needs both"),
        (PAGE.format(store="s").replace(" s --format markdown", ""), "Each needs both"),
        (PAGE.format(store="s").replace("<!-- end -->", "") + "\n<!-- figures -->\n<!-- end -->\n", "one lacks its"),
        (
            PAGE.replace("dapt report {store} --format markdown", "python tools/evidence_terms.py nosuch.json"),
            "nosuch.json",
        ),
    ],
)
def test_pages_that_cannot_be_checked(tmp_path: Path, text: str | None, message: str) -> None:
    page = tmp_path / "page.md"
    if text is not None:
        page.write_text(text)
    done = fill(page, "--check")
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "as printed" not in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("page", ["README.md", "docs/results.md", "docs/evidence.md"])
def test_results_are_what_the_commands_print(page: str) -> None:
    done = fill(ROOT / page, "--check")
    assert done.returncode == 0, done.stdout + done.stderr
