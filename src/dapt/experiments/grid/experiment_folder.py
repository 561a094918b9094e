"""The folder of an experiment: a folder for each cell, and experiment.json, which says how each of them stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dapt.errors import ConfigError, DataError
from dapt.experiments.grid.expand import Cell
from dapt.experiments.stores import CHECKPOINT, Store
from dapt.files import read_json, write_json
from dapt.lock import MANIFEST, FolderLock
from dapt.outputs import check_folder, refuse_linked
from dapt.owned import Manifest, check_sealed, read_manifest, strangers, sweep, write_manifest
from dapt.results import SCHEMA, Figures

KIND = "experiment"
RESULT = "experiment.json"
EVERY_S = 1.0  # between two writings of the record, which may have thousands of cells
STORE_EVERY_S = 10.0  # the same, into a store

Status = Literal["waiting", "running", "done", "failed", "contradictory"]


class CellRecord(BaseModel):
    """How a cell stands.

    Attributes:
        values: what distinguishes it, by setting. protocol: its name, None for a single run. status: see `Status`.
        key: `Prepared.key` of what its folder holds. error: what it ended with, in one line.
        tries: how often it was begun.
        seconds: from its last beginning to its end. metrics: figures of its run or, of a protocol, of each row.
    """

    model_config = ConfigDict(extra="allow")

    values: dict[str, Any] = Field(default_factory=dict)
    protocol: str | None = None
    status: Status = "waiting"
    key: str = ""
    error: str | None = None
    tries: int = 0
    seconds: float | None = None
    metrics: dict[str, Figures] = Field(default_factory=dict)


@dataclass
class ExperimentFolder:
    """The folder of an experiment and its record.

    Attributes:
        path: the folder. name: of the experiment. records: by name of the cell, in the order in which they run.
        earlier: cells of the record that the experiment does not name any more; they are kept.
        store: where the folder is, if `path` is only its mirror.
    """

    path: Path
    name: str
    records: dict[str, CellRecord] = field(default_factory=dict)
    earlier: dict[str, CellRecord] = field(default_factory=dict)
    store: Store | None = None

    def __post_init__(self) -> None:
        self.lock = FolderLock(self.path)
        self._written = 0.0

    @property
    def place(self) -> str:
        """Where the folder is, for messages: its path, or the address of the store."""
        return str(self.path) if self.store is None else self.store.address

    @property
    def result(self) -> str:
        """Where the record is, for messages."""
        return f"{self.place}/{RESULT}"

    def look(self, cells: list[Cell]) -> None:
        """Take over what an earlier start has noted; changes nothing but the mirror of a store.

        Raises:
            InUseError: another process of this machine uses the mirror.
            ConfigError: the folder holds something else, or its record is damaged or of a newer version.
        """
        if self.store is not None:
            with self.lock:
                self.store.pull("", self.path, without=[CHECKPOINT])
        check_folder(self.path)
        refuse_linked(self.path, [f"{cell.name}/run.yaml" for cell in cells])
        before = self._before()
        self.records = {cell.name: before.get(cell.name, CellRecord()) for cell in cells}
        self.earlier = {name: record for name, record in before.items() if name not in self.records}
        for cell in cells:
            record = self.records[cell.name]
            record.values, record.protocol = cell.values, cell.protocol

    def _before(self) -> dict[str, CellRecord]:
        if not self.path.exists():
            return {}
        manifest = read_manifest(self.path)
        if manifest is None:
            found = strangers(self.path, ())
            if found:
                raise ConfigError(
                    f"{self.path} exists and is no folder of an experiment. It holds {found[0].name}.",
                    todo="Choose another folder with --out.",
                )
            return {}
        if manifest.kind != KIND:
            raise ConfigError(f"{self.path} holds {manifest.kind}, not an experiment.", todo="Choose another --out.")
        file = self.path / RESULT
        if not file.is_file():
            return {}
        tree = read_json(file)
        damaged = ConfigError(f"{file} is damaged.", todo="Remove it: what the runs have finished is kept.")
        try:
            if tree["schema"] > SCHEMA:
                raise ConfigError(f"{file} was written by a newer version of dapt.", todo="Install that version.")
            return {name: CellRecord.model_validate(record) for name, record in tree["cells"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise damaged from None

    def begin(self) -> None:
        """Become the folder's writer.

        Raises:
            ConfigError: another process uses the folder.
        """
        self.lock.take()
        sweep(self.path, [RESULT])
        if self.store is not None:
            self.store.check()
        manifest = read_manifest(self.path) or Manifest(KIND)
        folders = list(dict.fromkeys([*manifest.folders, *self.records]))
        write_manifest(self.path, Manifest(KIND, {RESULT: None}, folders))
        if self.store is not None:
            self.store.write(MANIFEST, (self.path / MANIFEST).read_bytes())
        self.write(now=True)

    def fetch(self, name: str) -> None:
        """Bring the folder of a cell that has ended from the store, where there is one.

        Raises:
            DataError: the store does not hold it: the machine that made it has brought it elsewhere.
            ConfigError: the store cannot be read.
        """
        if self.store is not None and not self.store.pull(name, self.path / name, without=[CHECKPOINT]):
            raise DataError(
                f"Its results did not arrive at {self.store.address}/{name}.",
                todo="Choose an --out that means the same place on every machine.",
            )

    def write(self, *, now: bool = False) -> None:
        """Write the record: at once, or if the last time is a while ago."""
        if not now and time.monotonic() - self._written < (EVERY_S if self.store is None else STORE_EVERY_S):
            return
        cells = {name: record.model_dump() for name, record in {**self.earlier, **self.records}.items()}
        write_json(self.path / RESULT, {"schema": SCHEMA, "experiment": self.name, "cells": cells}, make_parents=False)
        if self.store is not None:
            self.store.write(RESULT, (self.path / RESULT).read_bytes())
        self._written = time.monotonic()

    def is_done(self, cell: Cell, key: str) -> bool:
        """Whether a cell has been finished with just these settings and data, and its results are as they were."""
        record = self.records[cell.name]
        if record.status != "done" or record.key != key:
            return False
        result = "results.json" if cell.protocol is None else "protocol.json"
        if not (cell.folder / result).is_file() or not (cell.folder / MANIFEST).is_file():
            return False
        check_sealed(cell.folder, read_manifest(cell.folder), result)
        return True

    def holds_another(self, cell: Cell, key: str) -> bool:
        """Whether the folder of a cell holds what was made with other settings or other data."""
        before = self.records[cell.name].key
        return before != key if before else (cell.folder / MANIFEST).is_file()
