"""A run whose masks are not found says where they were looked for, and whether the data set has some of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.errors import DataError
from dapt.runs.train import run_training
from helpers import run_with

OWN = "The data set names masks of its own"


def refusal(data: Path, spec: str, out: Path, **changes: object) -> str:
    with pytest.raises(DataError) as found:
        run_training(make_config(run_with(data, spec, out, dapt=True, **changes)))
    return found.value.message


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.mark.parametrize("cue", ["masks", "auto"])
def test_masks_of_the_data_set_are_told_and_how_to_use_them(
    table: Path, tiny_spec: str, tmp_path: Path, empty: Path, cue: str
) -> None:
    told = refusal(table, tiny_spec, tmp_path / "run", cue=cue, masks=str(empty))
    assert told.startswith(f"None of the images has a mask. ({empty})\n{OWN}")
    assert "Leave --masks out, or pass --cue dataset" in told
    for way_out in ({"cue": "masks"}, {"cue": "dataset", "masks": str(empty)}):
        out = tmp_path / f"run-{way_out['cue']}"
        run_training(make_config(run_with(table, tiny_spec, out, dapt=True, epochs=1, **way_out)))


def test_data_without_masks_has_none_to_tell(photos: Path, tiny_spec: str, tmp_path: Path, empty: Path) -> None:
    told = refusal(photos, tiny_spec, tmp_path / "run", cue="masks", masks=str(empty))
    assert OWN not in told
    assert "use --cue border" in told


def test_a_folder_that_is_not_looked_into_is_not_blamed(
    photos: Path, tiny_spec: str, tmp_path: Path, empty: Path
) -> None:
    told = refusal(photos, tiny_spec, tmp_path / "run", cue="dataset", masks=str(empty))
    assert told.startswith("None of the images has a mask. (the data set's own masks)")
