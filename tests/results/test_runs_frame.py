"""Tables of runs: all of them, kept, read anew where they changed, and nothing lost in silence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import dapt.results
from dapt.errors import ConfigError, DataError
from dapt.results import runs_frame

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def write_run(folder: Path, accuracy: float = 50.0, settings: str = "lr: 0.1\n", **changes: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tree = {
        **{"schema": 2, "method": "maple", "dapt": False, "backbone": "demo", "data": "photos", "shots": 4, "seed": 1},
        "metrics": {"test/accuracy": accuracy},
        **changes,
    }
    (folder / "results.json").write_text(json.dumps(tree))
    (folder / "run.yaml").write_text(settings)


def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is read anew."""
    found: list[bytes] = []
    plain = runs_frame.row_of_run
    monkeypatch.setattr(
        runs_frame, "row_of_run", lambda results, settings: (found.append(results), plain(results, settings))[1]
    )
    return found


def test_a_row_per_run(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        write_run(tmp_path / "runs" / f"seed{seed}", 50.0 + seed, seed=seed)
    table = dapt.results.load(tmp_path / "runs")
    assert list(table["test/accuracy"]) == [51.0, 52.0, 53.0]
    assert list(table["run"]) == [f"{tmp_path}/runs/seed{seed}" for seed in (1, 2, 3)]
    assert table["set/lr"].dtype == float
    assert table.attrs["unread"] == {}
    assert table.groupby("method")["test/accuracy"].mean()["maple"] == 52.0


def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    for number in range(4):
        write_run(tmp_path / f"run{number}", 50.0, seed=number)
    first = dapt.results.load(tmp_path)
    found = reads(monkeypatch)
    again = dapt.results.load(tmp_path)
    assert found == []
    assert again.equals(first)
    write_run(tmp_path / "run2", 99.0, seed=2)
    os.utime(tmp_path / "run2" / "results.json", ns=(1, 1))
    write_run(tmp_path / "run9", 10.0, seed=9, settings="lr: fast\n")
    (tmp_path / "run0" / "results.json").unlink()
    third = dapt.results.load(tmp_path)
    assert len(found) == 2
    assert sorted(third["test/accuracy"]) == [10.0, 50.0, 50.0, 99.0]
    assert sorted(third["set/lr"]) == ["0.1", "0.1", "0.1", "fast"], "of mixed kinds, so texts"
    assert list(third.attrs["unread"].values()) == ["not finished"]
    assert dapt.results.load(tmp_path, cache=False).drop(columns="set/lr").equals(third.drop(columns="set/lr"))
    assert len(list((own_cache / "dapt" / "results").iterdir())) == 1


def test_damaged_and_half_written_runs_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "good")
    write_run(tmp_path / "damaged")
    (tmp_path / "damaged" / "results.json").write_text('{"schema": 2, "me')
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "run.yaml").write_text("lr: 1\n")
    write_run(tmp_path / "new", schema=77)
    for _ in range(2):
        table = dapt.results.load(tmp_path)
        assert list(table["run"]) == [f"{tmp_path}/good"]
        unread = {Path(folder).name: why for folder, why in table.attrs["unread"].items()}
        assert unread == {
            "half": "not finished",
            "damaged": "it is damaged",
            "new": "it was written by a newer version of dapt",
        }
        assert "3 folders are not in the table" in capsys.readouterr().err


def test_a_damaged_cache_is_made_again(tmp_path: Path, own_cache: Path, capsys) -> None:
    write_run(tmp_path / "run")
    first = dapt.results.load(tmp_path)
    (file,) = (own_cache / "dapt" / "results").iterdir()
    file.write_bytes(b"PAR1 no")
    assert dapt.results.load(tmp_path).equals(first)
    assert "cannot be read, and is made again" in capsys.readouterr().err
    assert file.read_bytes()[:4] == b"PAR1"
    assert len(file.read_bytes()) > 100


def test_protocols(tmp_path: Path) -> None:
    write_run(tmp_path / "cross" / "source", 70.0)
    rows = [("photos", 70.0), ("flowers", 20.0), ("cars", 30.0)]
    tree = {
        **{"schema": 2, "protocol": "cross_dataset", "source": "s", "method": "maple", "dapt": False, "seed": 1},
        **{"backbone": "demo", "data": "photos"},
        "rows": [{"point": point, "run": "source", "metrics": {"test/accuracy": value}} for point, value in rows],
    }
    (tmp_path / "cross" / "protocol.json").write_text(json.dumps(tree))
    for _ in range(2):
        table = dapt.results.load(tmp_path)
        assert list(table["point"]) == ["photos", "flowers", "cars"]
        assert list(table["kind"]) == ["run", "evaluation", "evaluation"]
        assert list(table["test/accuracy"]) == [70.0, 20.0, 30.0]
        assert set(table["protocol"]) == {"cross_dataset"}
    (tmp_path / "cross" / "protocol.json").write_text("{")
    table = dapt.results.load(tmp_path)
    assert len(table) == 1
    assert table.attrs["unread"] == {f"{tmp_path}/cross/protocol.json": "it is damaged"}


def test_several_places_and_remote_ones(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    write_run(tmp_path / "here" / "run", 10.0)
    write_run(tmp_path / "there" / "run", 20.0)
    files = fsspec.filesystem("memory")
    for name in ("results.json", "run.yaml"):
        files.pipe(f"/results-test/run/{name}", (tmp_path / "there" / "run" / name).read_bytes())
    table = dapt.results.load([tmp_path / "here", "memory://results-test"])
    assert list(table["test/accuracy"]) == [10.0, 20.0]
    assert list(table["run"]) == [f"{tmp_path}/here/run", "memory://results-test/run"]


def test_nothing_there(tmp_path: Path) -> None:
    assert len(dapt.results.load(tmp_path)) == 0
    with pytest.raises(DataError, match="There is no folder"):
        dapt.results.load(tmp_path / "none")
    with pytest.raises(ConfigError, match="There is no engine 'numpy'"):
        dapt.results.load(tmp_path, engine="numpy")


def test_what_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    plain = importlib.import_module

    def absent(name: str) -> Any:
        if name == "polars":
            raise ImportError(name)
        return plain(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ConfigError, match="need polars, which is not installed"):
        dapt.results.load(tmp_path, engine="polars")


def test_a_run_itself(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    table = dapt.results.load(tmp_path / "run")
    assert len(table) == 1
    assert table["run"][0] == f"{tmp_path}/run"
