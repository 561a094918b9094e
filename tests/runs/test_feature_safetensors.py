"""Features as safetensors: what the library reads, and the names in their order."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
from feature_tables import ROWS, small_table
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from dapt.errors import DaptError
from dapt.runs.feature_files import FeatureTable
from dapt.runs.feature_safetensors import SafetensorsFile
from dapt.runs.identity import hash_file


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_read_back(tmp_path: Path, kind: torch.dtype) -> None:
    file = SafetensorsFile(tmp_path / "f.safetensors")
    table, features = small_table(kind)
    file.write(table)
    found = load_file(file.path)
    assert torch.equal(found["features"], features)
    assert found["features"].dtype == kind
    assert found["labels"].tolist() == [0, 1, -1]
    with safe_open(file.path, "pt") as opened:
        about = json.loads(opened.metadata()["about"])
    assert file.about() == about
    assert about == {"model": "tiny", "names": {"file": "f.csv", "digest": hash_file(file.names_file)}}
    with file.names_file.open(encoding="utf-8", newline="") as names:
        rows = list(csv.DictReader(names))
    assert [(row["image"], int(row["label"]), row["classname"], row["split"]) for row in rows] == [
        (row.image, row.label, row.classname, row.split) for row in ROWS
    ]
    assert [row["row"] for row in rows] == ["0", "1", "2"]


def test_files_of_others_are_told(tmp_path: Path) -> None:
    file = SafetensorsFile(tmp_path / "f.safetensors")
    file.write(small_table()[0])
    assert all(map(file.is_ours, file.outputs))
    save_file({"features": torch.zeros(2, 2)}, file.path)
    file.names_file.write_text("image,label\n")
    assert not any(map(file.is_ours, file.outputs))
    file.path.write_bytes(b"")
    assert not file.is_ours(file.path)


def test_blocks_that_are_too_few_make_no_file(tmp_path: Path) -> None:
    file = SafetensorsFile(tmp_path / "f.safetensors")
    table, features = small_table()
    with pytest.raises(DaptError, match="was not written"):
        file.write(FeatureTable(table.rows, iter([features[:2]]), 5, {}))
    assert not file.path.exists()
