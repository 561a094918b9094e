"""Data that protocols test on: all of it is looked for before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.resolve import load_data
from dapt.errors import DataError
from dapt.experiments.protocol_targets import targets_of
from dapt.experiments.protocols.base import OtherData, Plan


def plan(*names: str) -> Plan:
    return Plan({}, tuple(OtherData(name, "source", name) for name in names))


def test_the_lists_of_each(table: Path, photos: Path) -> None:
    found = targets_of(plan(str(table), str(photos)), load_data)
    assert list(found) == [str(table), str(photos)]
    assert all(data.labelled("test") for data in found.values())


def test_nothing_to_test_on() -> None:
    assert targets_of(plan(), load_data) == {}


def test_each_that_cannot_be_used_is_named(table: Path, photos: Path, tmp_path: Path) -> None:
    unlabelled = tmp_path / "train-only.csv"
    lines = table.read_text().splitlines()
    unlabelled.write_text("\n".join(line for line in lines if "test" not in line))
    names = (str(photos), str(unlabelled), "/nowhere/birds")
    with pytest.raises(DataError, match="2 of 3 data sets to evaluate on cannot be used") as caught:
        targets_of(plan(*names), load_data)
    told = caught.value.more
    assert told[0] == f"{unlabelled}: there are no labelled test images."
    assert told[1].startswith("/nowhere/birds: There is no data")
