"""Features as a safetensors file, and the names of their images as a CSV beside it.

The file has ``features`` ``[N, D]`` and ``labels`` ``[N]`` (int64, -1 where no class is known). The names of a million
images are too much for its header, which may have 100 MB and is parsed whenever the file is opened.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dapt.clip.file_kinds import safetensors_header
from dapt.errors import DaptError
from dapt.files import whole_file
from dapt.regular import open_regular
from dapt.runs.feature_files import FORMAT, FeatureFile, FeatureTable
from dapt.runs.feature_rows import FeatureRow
from dapt.runs.identity import hash_file

HEADER = ("row", "image", "label", "classname", "split")
TYPES = {torch.float16: ("F16", 2), torch.float32: ("F32", 4)}
LABEL_BYTES = 8
ALIGNED = 8


class SafetensorsFile(FeatureFile):
    """``FILE.safetensors`` with ``FILE.csv`` beside it."""

    ending = ".safetensors"

    @property
    def names_file(self) -> Path:
        """The names of the images, a line for each row of the features."""
        return self.path.with_suffix(".csv")

    @property
    def outputs(self) -> tuple[Path, ...]:
        return (self.path, self.names_file)

    def is_ours(self, path: Path) -> bool:
        try:
            if path == self.names_file:
                start = ",".join(HEADER).encode() + b"\n"
                with open_regular(path) as file:
                    return file.read(len(start)) == start
            header = safetensors_header(path)
        except OSError:
            return False
        metadata = header.get("__metadata__") if isinstance(header, dict) else None
        return isinstance(metadata, dict) and metadata.get("format") == FORMAT

    def about(self) -> dict[str, Any]:
        header = safetensors_header(self.path)
        assert isinstance(header, dict), "it is one of ours"
        found: dict[str, Any] = json.loads(header["__metadata__"]["about"])
        return found

    def write(self, table: FeatureTable) -> None:
        names_digest = _write_names(self.names_file, table.rows)
        about = {**table.about, "names": {"file": self.names_file.name, "digest": names_digest}}
        with whole_file(self.path) as temporary, temporary.open("wb") as file:
            size = 0
            for number, block in enumerate(table.blocks):
                if number == 0:
                    kind, bytes_each = TYPES[block.dtype]
                    head = _head(len(table.rows), table.dimensions, kind, bytes_each, about)
                    labels = np.array([row.label for row in table.rows], dtype="<i8").tobytes()
                    size += file.write(head) + file.write(labels)
                    whole = size + len(table.rows) * table.dimensions * bytes_each
                size += file.write(block.contiguous().numpy().tobytes())
            file.flush()
            written = os.fstat(file.fileno()).st_size
            if not size or size != whole or written != size:
                raise DaptError(f"{self.path} was not written: of {whole} bytes {written} are there.")


def _head(count: int, dimensions: int, kind: str, bytes_each: int, about: dict[str, Any]) -> bytes:
    """The beginning of a safetensors file, up to its first tensor."""
    labels = count * LABEL_BYTES
    header = {
        "__metadata__": {"format": FORMAT, "about": json.dumps(about, sort_keys=True)},
        "labels": {"dtype": "I64", "shape": [count], "data_offsets": [0, labels]},
        "features": {
            "dtype": kind,
            "shape": [count, dimensions],
            "data_offsets": [labels, labels + count * dimensions * bytes_each],
        },
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    return len(text).to_bytes(8, "little") + text


def _write_names(path: Path, rows: Sequence[FeatureRow]) -> str:
    """Write the names; returns a checksum of the file."""
    with whole_file(path) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            for number, row in enumerate(rows):
                writer.writerow([number, row.image, row.label, row.classname, row.split])
        return hash_file(temporary)
