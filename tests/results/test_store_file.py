"""All runs as one file."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

import dapt.results
from dapt.errors import ConfigError, DataError
from dapt.results.store_file import is_store

ROWS = pd.DataFrame(
    {
        "run": ["a", "b"],
        "kind": "run",
        "method": ["coop", "maple"],
        "data": "d",
        "seed": [1, 2],
        "test/accuracy": [1.5, None],
        "point": None,
    }
)


def test_what_was_kept_is_read_as_if_the_runs_were_there(tmp_path: Path) -> None:
    file = dapt.results.save(ROWS, tmp_path / "runs.parquet")
    found = dapt.results.load(file)
    assert found.to_dict("records")[0] == {key: value for key, value in ROWS.iloc[0].items() if key != "point"}
    assert found.attrs["unread"] == {}
    both = dapt.results.load([file, file])
    assert len(both) == 4
    assert file.read_bytes() == dapt.results.save(ROWS, tmp_path / "again.parquet").read_bytes()


def test_what_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file"):
        dapt.results.load(tmp_path / "none.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(DataError, match="damaged, or something else"):
        dapt.results.load(tmp_path / "bad.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match="holds no runs"):
        dapt.results.load(tmp_path / "other.parquet")
    with pytest.raises(ConfigError, match=r"Write .*runs\.parquet"):
        dapt.results.save(ROWS, tmp_path / "runs.csv")
    (tmp_path / "folder.parquet").mkdir()
    assert not is_store(str(tmp_path / "folder.parquet"))


def test_nothing_else_is_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "mine.parquet"
    pd.DataFrame({"price": [1.0]}).to_parquet(mine)
    before = mine.read_bytes()
    (tmp_path / "notes.parquet").write_text("notes")
    os.mkfifo(tmp_path / "pipe.parquet")
    for name in ("mine", "notes", "pipe"):
        with pytest.raises(ConfigError, match="holds no runs of dapt"):
            dapt.results.save(ROWS, tmp_path / f"{name}.parquet")
    assert mine.read_bytes() == before
    dapt.results.save(ROWS, dapt.results.save(ROWS, tmp_path / "runs.parquet"))
