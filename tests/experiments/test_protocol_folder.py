"""The folder of a protocol: which runs are its own, what --resume and --overwrite may do there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.experiments.protocol_folder import ProtocolFolder
from dapt.experiments.protocols.base import Plan
from dapt.owned import Manifest, read_manifest, write_manifest


def folder(out: Path, *shots: int, name: str = "few_shot", data: str = "eurosat") -> ProtocolFolder:
    runs = {
        f"{count} shots": make_config({"data": data, "model": "demo", "shots": count, "out": str(out / f"{count}shot")})
        for count in shots
    }
    return ProtocolFolder(out, name, Plan(runs))


def begin(out: Path, *shots: int, resume: bool = False, overwrite: bool = False) -> list[str]:
    made = folder(out, *shots)
    with made.lock:
        return [run.path.name for run in made.begin(resume=resume, overwrite=overwrite)]


def finished(out: Path, *shots: int, name: str = "few_shot") -> None:
    """As a protocol leaves it: protocol.json, and a run folder for each point."""
    rows = [{"point": f"{count} shots", "run": f"{count}shot", "metrics": {}} for count in shots]
    tree = {"schema": 2, "protocol": name, "method": "maple", "rows": rows, "averaged": []}
    (out / "protocol.json").write_text(json.dumps(tree))
    for count in shots:
        run = out / f"{count}shot"
        run.mkdir()
        write_manifest(run, Manifest("run", {"run.yaml": None}))
        (run / "run.yaml").write_text("data: eurosat\n")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "protocol"


def test_a_new_folder_lists_its_runs(out: Path) -> None:
    folder(out, 1, 2).check(resume=False, overwrite=False)
    assert not out.exists(), "checking changes nothing"
    assert begin(out, 1, 2) == []
    manifest = read_manifest(out)
    assert (manifest.kind, manifest.folders, manifest.files) == (
        "protocol",
        ["1shot", "2shot"],
        {"protocol.json": None},
    )


def test_an_existing_one_needs_a_word(out: Path) -> None:
    begin(out, 1)
    with pytest.raises(ConfigError, match="exists") as caught:
        folder(out, 1).check(resume=False, overwrite=False)
    assert "--resume" in caught.value.todo
    folder(out, 1).check(resume=True, overwrite=False)
    folder(out, 1).check(resume=False, overwrite=True)


def test_going_on_keeps_all_points(out: Path) -> None:
    begin(out, 1, 2)
    (out / "protocol.json").write_text(
        '{"schema": 2, "protocol": "few_shot", "method": "maple", "averaged": [], "rows": '
        '[{"point": "1 shots", "run": "1shot"}, {"point": "2 shots", "run": "2shot"}]}'
    )
    folder(out, 1, 2, 4).check(resume=True, overwrite=False)
    with pytest.raises(ConfigError, match="with the point 2 shots, which is not asked for now"):
        folder(out, 1).check(resume=True, overwrite=False)
    with pytest.raises(ConfigError, match="holds the protocol few_shot"):
        folder(out, 1, 2, name="data_efficient").check(resume=True, overwrite=False)


@pytest.mark.parametrize("content", ["[]", '{"rows": []}', "no JSON"])
def test_damaged_results(out: Path, content: str) -> None:
    begin(out, 1)
    (out / "protocol.json").write_text(content)
    with pytest.raises(ConfigError, match=r"protocol\.json is damaged, or dapt did not write it"):
        folder(out, 1).check(resume=True, overwrite=False)


def test_starting_again_removes_what_is_left_once_the_new_one_is_complete(out: Path) -> None:
    begin(out, 1, 2)
    finished(out, 1, 2)
    made = folder(out, 2, 4)
    with made.lock:
        left = made.begin(resume=False, overwrite=True)
        assert [run.path.name for run in left] == ["1shot"]
        assert read_manifest(out).folders == ["1shot", "2shot", "4shot"]
        assert (out / "1shot" / "run.yaml").is_file()
        made.complete(left)
    assert not (out / "1shot").exists()
    assert (out / "2shot").is_dir()
    assert read_manifest(out).folders == ["2shot", "4shot"]


def test_other_things_in_the_folder_are_left_alone(out: Path) -> None:
    begin(out, 1)
    (out / "mine").mkdir()
    (out / "mine" / "a.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds other things than this protocol \(mine\)"):
        folder(out, 1).check(resume=False, overwrite=True)
    (out / "mine").rename(out / "1shot")
    with pytest.raises(ConfigError, match="is not a run folder"):
        folder(out, 1).check(resume=False, overwrite=True)
    assert (out / "1shot" / "a.txt").read_text() == "mine"


def test_folders_that_are_no_protocol(out: Path) -> None:
    out.mkdir()
    folder(out, 1).check(resume=False, overwrite=False)  # an empty folder will do
    (out / "a.txt").write_text("mine")
    with pytest.raises(ConfigError, match="no protocol to resume"):
        folder(out, 1).check(resume=True, overwrite=False)
    (out / "a.txt").unlink()
    write_manifest(out, Manifest("masks"))
    with pytest.raises(ConfigError, match="holds masks, not a protocol"):
        folder(out, 1).check(resume=True, overwrite=False)


def test_not_over_the_data_and_not_through_links(photos: Path, out: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds the data"):
        folder(photos.parent, 1, data=str(photos)).check(resume=False, overwrite=False)
    begin(out, 1)
    (tmp_path / "elsewhere").mkdir()
    (out / "1shot").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="reached through a link"):
        folder(out, 1).check(resume=True, overwrite=False)
