"""Features as a Parquet file: a row for each image, its feature a list of fixed size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from dapt.errors import ConfigError
from dapt.files import whole_file
from dapt.runs.feature_files import FORMAT, FeatureFile, FeatureTable
from dapt.runs.feature_rows import FeatureRow

REPEATED = ["label", "classname", "split"]  # columns whose values are kept once; of features no two are the same


class ParquetFile(FeatureFile):
    """``FILE.parquet`` with columns image, label, classname, split and feature."""

    ending = ".parquet"

    def check_packages(self) -> None:
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise ConfigError(
                "Parquet needs pyarrow, which is not installed.",
                where="--out",
                todo="Install it: pip install 'dapt[report]'. Or write .safetensors.",
            ) from error

    def is_ours(self, path: Path) -> bool:
        from pyarrow import ArrowException, parquet

        try:
            metadata = parquet.read_schema(path).metadata or {}
        except (OSError, ArrowException):
            return False
        return metadata.get(b"format") == FORMAT.encode()

    def about(self) -> dict[str, Any]:
        from pyarrow import parquet

        found: dict[str, Any] = json.loads(parquet.read_schema(self.path).metadata[b"about"])
        return found

    def write(self, table: FeatureTable) -> None:
        from pyarrow import parquet

        with whole_file(self.path) as temporary:
            writer, start = None, 0
            try:
                for block in table.blocks:
                    schema = _schema(block.dtype, table)
                    if writer is None:
                        writer = parquet.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=REPEATED)
                    rows = table.rows[start : start + len(block)]
                    writer.write_table(_columns(schema, rows, block.numpy()))
                    start += len(block)
            finally:
                if writer is not None:
                    writer.close()


def _schema(kind: torch.dtype, table: FeatureTable) -> Any:
    import pyarrow as pa

    number = pa.float16() if kind == torch.float16 else pa.float32()
    fields = [
        ("image", pa.string()),
        ("label", pa.int64()),
        ("classname", pa.string()),
        ("split", pa.string()),
        ("feature", pa.list_(number, table.dimensions)),
    ]
    about = {"format": FORMAT, "about": json.dumps(dict(table.about), sort_keys=True)}
    return pa.schema(fields, metadata=about)


def _columns(schema: Any, rows: Sequence[FeatureRow], features: Any) -> Any:
    import pyarrow as pa

    feature = schema.field("feature").type
    flat = pa.array(features.reshape(-1), type=feature.value_type)
    columns = [
        pa.array([row.image for row in rows], pa.string()),
        pa.array([row.label for row in rows], pa.int64()),
        pa.array([row.classname for row in rows], pa.string()),
        pa.array([row.split for row in rows], pa.string()),
        pa.FixedSizeListArray.from_arrays(flat, type=feature),
    ]
    return pa.Table.from_arrays(columns, schema=schema)
