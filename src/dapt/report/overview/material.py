"""What the parts of the page are made of: runs with their names, tables, and what lies in the folders of runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from typing import Any

from dapt.errors import DaptError
from dapt.report.tables.formats import Shown
from dapt.report.tables.kinds import KINDS
from dapt.report.tables.labels import Row, host_of, labels_of, there
from dapt.results.result_files import place_of
from dapt.wording import counted

METRICS, RESULTS = "metrics.jsonl", "results.json"


@dataclass(frozen=True)
class Setting:
    """What runs share that are compared with each other.

    Attributes:
        data: the data set. shots: 0 for all. subset: all or base. fraction: share of the training images.
        select: what chose them; empty for all.
    """

    data: str
    shots: int
    subset: str
    fraction: float = 1.0
    select: str = ""

    @property
    def words(self) -> str:
        """For headings: ``photos, 16 shots, base classes``."""
        return self.words_with("base classes")

    def words_with(self, classes: str) -> str:
        """The same, with what the classes of runs on base classes are called."""
        parts = [self.data, counted(self.shots, "shot") if self.shots else "all images"]
        parts += [classes] if self.subset == "base" else []
        parts += [f"{100 * self.fraction:g}% of the images"] if self.fraction < 1 else []
        parts += [f"chosen by {self.select}"] if self.select else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Run:
    """A run: its row of `dapt.results.load`, and what tables call it."""

    row: Row
    label: str

    @property
    def folder(self) -> str:
        """Where it lies, a path or an address."""
        return str(self.row["run"])

    @property
    def seed(self) -> int:
        """Its seed."""
        return int(self.row["seed"])

    @cached_property
    def setting(self) -> Setting:
        """What it was trained on."""
        row = self.row
        return Setting(
            str(row["data"]),
            int(row["shots"]),
            str(row.get("subset") or "all"),
            float(row["set/fraction"]) if there(row.get("set/fraction")) else 1.0,
            str(row["set/select"]) if there(row.get("set/select")) else "",
        )


@dataclass(frozen=True)
class Pair:
    """Runs of a method without DAPT and with it, of one setting, by seed.

    Attributes:
        host, label: the two rows of tables. runs: by seed, without and with DAPT.
    """

    host: str
    label: str
    setting: Setting
    runs: Mapping[int, tuple[Run, Run]]

    @property
    def words(self) -> str:
        """For headings."""
        return f"{self.label} against {self.host}: {self.setting.words}"


@dataclass
class Material:
    """All that there is.

    Attributes:
        runs: finished runs. shown: the tables. places: what was named on the command line. unread: what could not be
            read, with the reason.
    """

    runs: list[Run]
    shown: list[Shown]
    places: list[str]
    unread: Mapping[str, str]
    _records: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def by_setting(self) -> dict[tuple[str, Setting], list[Run]]:
        """Runs by label and setting: those that differ in their seed only."""
        found: dict[tuple[str, Setting], list[Run]] = {}
        for run in self.runs:
            found.setdefault((run.label, run.setting), []).append(run)
        return found

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every row with DAPT and the same method without, in each setting in which both were run with one seed.

        One of each method comes first, that of most seeds, then a second one of each.
        """
        found: list[Pair] = []
        for (label, setting), runs in self.by_setting.items():
            beside = [name for name, other in self.by_setting if other == setting]
            host = host_of(label, beside)
            if host is None:
                continue
            hosts = {run.seed: run for run in self.by_setting[host, setting]}
            both = {run.seed: (hosts[run.seed], run) for run in runs if run.seed in hosts}
            if both:
                found.append(Pair(host, label, setting, dict(sorted(both.items()))))
        by_host: dict[str, list[Pair]] = {}
        for pair in sorted(found, key=lambda pair: -len(pair.runs)):
            by_host.setdefault(pair.host, []).append(pair)
        return [pair for turn in zip_longest(*by_host.values()) for pair in turn if pair is not None]

    @cached_property
    def labels(self) -> list[str]:
        """All rows, in order."""
        return list(dict.fromkeys(run.label for run in self.runs))

    def lines(self, run: Run) -> list[dict[str, Any]]:
        """What a run has noted of each epoch; nothing where that cannot be read."""
        text = self._read(run, METRICS)
        try:
            lines = [json.loads(line) for line in text.decode("utf-8").splitlines() if line.strip()]
        except (ValueError, RecursionError):
            return []
        return [line for line in lines if isinstance(line, dict) and isinstance(line.get("epoch"), int)]

    def record(self, run: Run) -> Mapping[str, Any]:
        """The content of results.json of a run; empty where it cannot be read any more."""
        if run.folder not in self._records:
            try:
                tree = json.loads(self._read(run, RESULTS) or b"{}")
            except (ValueError, RecursionError):
                tree = {}
            self._records[run.folder] = tree if isinstance(tree, dict) else {}
        return self._records[run.folder]

    def _read(self, run: Run, name: str) -> bytes:
        try:
            return place_of(run.folder).read(name)
        except (OSError, DaptError):
            return b""


def class_words(setting: Setting, runs: Sequence[Run]) -> str:
    """For headings of figures of single classes: of runs on base classes novel ones are among them, where tested."""
    both = any(there(run.row.get("test/accuracy_novel")) for run in runs)
    return setting.words_with("base and novel classes") if both else setting.words


def material_of(
    rows: Sequence[Row],
    shown: Sequence[Shown],
    places: Sequence[str],
    unread: Mapping[str, str],
    table: str | None = None,
) -> Material:
    """What there is to show of some rows of `dapt.results.load`.

    Args:
        table: the only kind of table that was asked for: then only its runs are shown, where it is made of runs.
    """
    fitting = [row for row in rows if table is not None and row.get("kind") == "run" and KINDS[table].fits(row)]
    rows = fitting or rows
    labelled = zip(labels_of(rows), rows, strict=True)
    runs = [Run(row, label) for label, row in labelled if row.get("kind") == "run"]
    return Material(runs, list(shown), list(places), unread)
