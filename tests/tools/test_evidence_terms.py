"""The table of what terms do: first and last epochs, from runs or from what was saved of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import DaptError
from dapt.runs.train import run_training
from helpers import REPOSITORY, run_with

sys.path.insert(0, str(REPOSITORY / "tools"))
from evidence_terms import main, read_runs, table


def test_first_and_last_epochs_and_their_means() -> None:
    one = [{"distance/foreground": 1.0, "angle/L_v": 100.0}, {"distance/foreground": 0.5}]
    two = [{"distance/foreground": 2.0}, {"distance/foreground": 0.75, "size/L_v": 0.25}]
    lines = table({"joint": [one, two]}).splitlines()
    assert lines[0] == "| setting | runs | distance/foreground | angle/L_v | size/L_v |"
    assert lines[2] == "| joint | 2 | 1.50 → 0.62 | 100 → 100 | 0.25 → 0.25 |"


def test_what_was_saved_of_runs_gives_the_same_table(
    table: Path, tiny_spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = run_with(table, tiny_spec, tmp_path / "runs" / "one", cue={"source": "dataset"})
    dapt = {"enabled": True, "variant": "joint"}
    run_training(make_config({**given, "dapt": dapt}))
    with pytest.raises(DaptError, match="looked at its terms"):
        main([str(tmp_path / "runs")])
    run_training(make_config({**given, "dapt": {**dapt, "diagnose": True}, "out": str(tmp_path / "runs" / "two")}))
    capsys.readouterr()
    main([str(tmp_path / "runs"), "--save", str(tmp_path / "terms.json")])
    first = capsys.readouterr().out
    assert "| joint dataset | 1 |" in first
    assert "distance/background" in first
    main([str(tmp_path / "terms.json")])
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    "content", [None, b"no json", b"[]", b"{}", b'{"joint": 3}', b'{"joint": [[3]]}', b"PAR1\xff\xfe"]
)
def test_what_is_no_saved_file_is_told_in_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "terms.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DaptError, match=r"terms\.json"):
        main([str(path)])


def test_hosts_have_rows_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for method in ("maple", "coop"):
        (tmp_path / method).mkdir()
        (tmp_path / method / "metrics.jsonl").write_text('{"right/whole": 50.0}\n')
        rows.append({"kind": "run", "dapt": True, "method": method, "run": str(tmp_path / method), "cue": "masks"})
    rows = [{**row, "set/epochs": 2.0, "set/dapt.variant": "joint"} for row in rows]
    monkeypatch.setattr("evidence_terms.rows_of", lambda folder: rows)
    assert list(read_runs(tmp_path)) == ["coop: joint", "maple: joint"]
    rows.pop()
    assert list(read_runs(tmp_path)) == ["joint"]
