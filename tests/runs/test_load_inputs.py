"""What a run reads, and the training images that are left of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError, DataError, ModelError
from dapt.runs.check import Plan, check_run
from dapt.runs.load_inputs import Loaded, load_inputs, select_inputs
from dapt.runs.run_folder import RunFolder
from helpers import make_csv, run_with


def planned(table: Path, spec: str, out: Path, *, resume: bool = False, **changes: object) -> Plan:
    return check_run(make_config(run_with(table, spec, out, **changes)), resume=resume, overwrite=False)


def names(loaded: Loaded) -> list[str]:
    return [item.name for item in loaded.data.train.items]


def test_data_and_backbone(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    loaded = load_inputs(planned(table, tiny_spec, tmp_path / "run", shots=2))
    assert loaded.clip.spec == tiny_spec
    assert sorted(loaded.data.train.labels) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert len(loaded.data.test.items) == 4 * 2
    assert not (tmp_path / "run").exists(), "nothing is written yet"


def test_without_a_selector_all_images_stay(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    plan = planned(table, tiny_spec, tmp_path / "run", shots=0)
    loaded = load_inputs(plan)
    assert names(select_inputs(plan, loaded)) == names(loaded)
    assert len(names(loaded)) == 4 * 4


def test_half_of_every_class_is_chosen(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    plan = planned(table, tiny_spec, tmp_path / "run", shots=0, select="uniform", fraction=0.5)
    loaded = load_inputs(plan)
    chosen = select_inputs(plan, loaded)
    assert set(names(chosen)) < set(names(loaded))
    assert sorted(chosen.data.train.labels) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert names(select_inputs(plan, loaded)) == names(chosen)
    assert chosen.data.test == loaded.data.test


def test_an_interrupted_run_finds_its_images_again_or_says_that_they_changed(
    trained: Path, run: Path, tmp_path: Path, tiny_spec: str
) -> None:
    table = shutil.copytree(trained.parent / "table", tmp_path / "table") / "index.csv"
    plan = planned(trained.parent / "table" / "index.csv", tiny_spec, run, epochs=1, resume=True)
    again = select_inputs(plan, load_inputs(plan))
    assert [[name, label] for name, label, _ in RunFolder(run).earlier_split()["train"]] == [
        [name, label] for name, label in zip(names(again), again.data.train.labels, strict=True)
    ]
    shutil.rmtree(table.parent)
    make_csv(table.parent, per_class=12)
    moved = Plan(plan.config.model_copy(update={"data": str(table)}), plan.folder, "cpu", None, True, False)
    with pytest.raises(DataError, match="have changed since the run in"):
        select_inputs(moved, load_inputs(moved))


def test_missing_and_misplaced_inputs(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lies within the folder images of the data"):
        load_inputs(planned(table, tiny_spec, table.parent / "images" / "run"))
    with pytest.raises(ModelError):
        load_inputs(planned(table, f"local-dir:{tmp_path / 'absent'}", tmp_path / "run"))
    with pytest.raises(DataError):
        load_inputs(planned(tmp_path / "absent.csv", tiny_spec, tmp_path / "run"))


@pytest.mark.parametrize(
    ("settings", "left_out"),
    [
        # Of 8 images: batches of 4 and 4; of 6 and 2, which 3 devices cannot share; of 6 alone.
        ({"batch_size": 4, "devices": 4}, None),
        ({"batch_size": 6, "devices": 3, "drop_last": False}, 2),
        ({"batch_size": 6, "devices": 3, "drop_last": True}, None),
    ],
)
def test_images_that_devices_cannot_share_are_told(table, tiny_spec, tmp_path, capsys, settings, left_out) -> None:
    plan = planned(table, tiny_spec, tmp_path / "run", shots=2, **settings)
    select_inputs(plan, load_inputs(plan))
    said = capsys.readouterr().err
    if left_out is None:
        assert "are left out" not in said
    else:
        assert f"{left_out} images of the last batch of every epoch are left out" in said


def test_fewer_images_than_devices(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    plan = planned(table, tiny_spec, tmp_path / "run", shots=1, batch_size=5, devices=5)
    with pytest.raises(ConfigError, match="4 training images cannot be divided among 5 devices") as caught:
        select_inputs(plan, load_inputs(plan))
    assert "--devices 4" in caught.value.todo
