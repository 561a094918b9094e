"""Features as Parquet: what pandas reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from feature_tables import ROWS, small_table

from dapt.runs.feature_parquet import ParquetFile

pd = pytest.importorskip("pandas")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_read_back(tmp_path: Path, kind: torch.dtype) -> None:
    file = ParquetFile(tmp_path / "f.parquet")
    table, features = small_table(kind)
    file.write(table)
    found = pd.read_parquet(file.path)
    stacked = np.stack(found["feature"])
    assert stacked.dtype == features.numpy().dtype
    assert np.array_equal(stacked, features.numpy())
    assert found["image"].tolist() == [row.image for row in ROWS]
    assert found["label"].tolist() == [0, 1, -1]
    assert found["classname"].tolist() == ["cat", "dog|cat", ""]
    assert found["split"].tolist() == ["train", "test", ""]
    schema = parquet.read_schema(file.path)
    assert schema.field("feature").type.list_size == 5
    assert json.loads(schema.metadata[b"about"]) == file.about() == {"model": "tiny"}


def test_files_of_others_are_told(tmp_path: Path) -> None:
    file = ParquetFile(tmp_path / "f.parquet")
    file.write(small_table()[0])
    assert file.is_ours(file.path)
    pd.DataFrame({"a": [1]}).to_parquet(file.path)
    assert not file.is_ours(file.path)
    file.path.write_bytes(b"PAR1")
    assert not file.is_ours(file.path)


def test_an_error_on_the_way_leaves_no_file(tmp_path: Path) -> None:
    file = ParquetFile(tmp_path / "f.parquet")
    table, features = small_table()

    def blocks():
        yield features[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        file.write(type(table)(table.rows, blocks(), 5, {}))
    assert list(tmp_path.iterdir()) == []
