"""The figures of a run as a TensorBoard events file, which grows while the run goes on.

It is appended to in its place, since TensorBoard's data server keeps a file open and does not see one that replaces it.
Each record carries its length and checksums: a kill leaves at most a part of the last one, which readers pass over
and the next session cuts off.
"""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dapt.runs.run_folder import RunFolder

Figures = Mapping[str, Any]
HEAD, TAIL = 12, 4  # bytes of a record before and behind its content: length, its checksum; the content's checksum
LARGEST = 2**24  # bytes of a record that is believed


class EventsFile:
    """The events file of a run.

    Args:
        folder: of the run, once it has begun.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._content = b""

    def restore(self, lines: Sequence[Figures]) -> None:
        """Bring the file to where the run goes on: these epochs, each once, at the times at which they ended."""
        path = self._folder.events_file
        found = path.read_bytes() if path.is_file() else b""
        self._content = events_content(lines, times=times_in(found))
        if found.startswith(self._content):
            self._folder.append(path, b"", self._content)
        else:
            self._folder.write(path, self._content)

    def add(self, line: Figures) -> None:
        """The metrics of an epoch that has just ended.

        Raises:
            DaptError: the folder is gone, or the file system refuses.
        """
        self._grow(_records(int(line["epoch"]), time.time(), line))

    def finish(self, metrics: Figures, epochs: int) -> None:
        """The figures of the results, behind so many epochs."""
        self._grow(_records(epochs, time.time(), metrics))

    def _grow(self, records: bytes) -> None:
        if not self._content:
            self._content = events_content([])
            self._folder.write(self._folder.events_file, self._content)
        self._folder.append(self._folder.events_file, records, self._content)
        self._content += records


def events_content(
    lines: Sequence[Figures], metrics: Figures | None = None, times: Mapping[int, float] | None = None
) -> bytes:
    """The whole file.

    Args:
        lines: metrics of the epochs so far. metrics: those of the results. times: when the file was begun (0) and
            epochs ended, where that is known, in seconds since 1970; otherwise the last one has just ended.
    """
    known = times or {}
    began = time.time() - sum(line["seconds"] for line in lines)
    wall = began
    content = _record({"wall_time": known.get(0, began), "file_version": "brain.Event:2"})
    for line in lines:
        wall += line["seconds"]
        content += _records(line["epoch"], known.get(line["epoch"], wall), line)
    return content + _records(len(lines), wall, metrics or {})


def times_in(content: bytes) -> dict[int, float]:
    """When the file was begun (0), and the time of the first record of each step, as far as records are whole."""
    from tensorboard.compat.proto.event_pb2 import Event

    found: dict[int, float] = {}
    for body in _bodies(content):
        try:
            event = Event.FromString(body)
        except Exception:  # of protobuf, which has one of its own for each of its implementations
            return found
        found.setdefault(event.step, event.wall_time)
    return found


def _bodies(content: bytes) -> Iterator[bytes]:
    """The contents of all records up to the first that is not whole.

    A record is its length in 8 bytes, masked CRC-32C of these, the content, masked CRC-32C of it (TFRecord).
    """
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    place = 0
    while place + HEAD + TAIL <= len(content):
        length, check = struct.unpack_from("<QI", content, place)
        end = place + HEAD + length
        if length > LARGEST or end + TAIL > len(content) or check != masked_crc32c(content[place : place + 8]):
            return
        body = content[place + HEAD : end]
        if struct.unpack_from("<I", content, end)[0] != masked_crc32c(body):
            return
        yield body
        place = end + TAIL


def _records(step: int, at: float, figures: Figures) -> bytes:
    from torch.utils.tensorboard.summary import scalar

    there = ((name, value) for name, value in figures.items() if name != "epoch" and value is not None)
    return b"".join(_record({"wall_time": at, "step": step, "summary": scalar(name, value)}) for name, value in there)


def _record(event: Mapping[str, Any]) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    buffer = io.BytesIO()
    RecordWriter(buffer).write(Event(**event).SerializeToString())
    return buffer.getvalue()
