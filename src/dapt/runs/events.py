"""The figures of a run as a TensorBoard events file."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from typing import Any


def events_content(lines: Sequence[Mapping[str, Any]], metrics: Mapping[str, float | None] | None = None) -> bytes:
    """The whole file.

    Args:
        lines: metrics of the epochs so far, the last of which has just ended. metrics: those of the results.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter
    from torch.utils.tensorboard.summary import scalar

    buffer = io.BytesIO()
    records = RecordWriter(buffer)
    wall = time.time() - sum(line["seconds"] for line in lines)
    records.write(Event(wall_time=wall, file_version="brain.Event:2").SerializeToString())
    rows: list[tuple[int, float, Mapping[str, Any]]] = []
    for line in lines:
        wall += line["seconds"]
        rows.append((line["epoch"], wall, line))
    rows.append((len(lines), wall, metrics or {}))
    for step, at, figures in rows:
        for name, value in figures.items():
            if name != "epoch" and value is not None:
                records.write(Event(wall_time=at, step=step, summary=scalar(name, value)).SerializeToString())
    return buffer.getvalue()
