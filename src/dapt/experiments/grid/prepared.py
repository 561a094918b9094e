"""Cells that may go ahead, and what is wrong with the others, before anything is trained."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.clip.model_names import check_spec
from dapt.config import RunConfig, make_config
from dapt.data.items import ImageSet, Item
from dapt.data.masks.mask_files import mask_folder
from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DaptError
from dapt.experiments.executors.base import Job
from dapt.experiments.grid.expand import Cell
from dapt.experiments.grid.protocol_task import carry_out_protocol
from dapt.experiments.protocol_audit import check_lists, question_of
from dapt.experiments.protocol_targets import targets_of
from dapt.experiments.protocols.base import Plan, get_protocol
from dapt.runs.absolute_paths import with_absolute_paths
from dapt.runs.audit_backgrounds import MOST, may_lend
from dapt.runs.check import check_settings
from dapt.runs.division import how_divided
from dapt.runs.identity import CODE_SCHEMA
from dapt.runs.run_folder import result_settings
from dapt.strict import Names


@dataclass(frozen=True)
class Prepared:
    """A cell that may go ahead.

    Attributes:
        job: to be carried out. runs: configurations of its runs. key: a hash of all that decides its results, but for
            the content of images and masks, which a run compares itself when it is gone on with.
        train_images: how many there are to choose from, by class.
    """

    cell: Cell
    job: Job
    runs: tuple[RunConfig, ...]
    key: str
    train_images: tuple[int, ...] = ()


class Listed:
    """A data set, and what all cells on it have in common.

    Attributes:
        data: the data set.
    """

    def __init__(self, data: ImageSet) -> None:
        self.data = data
        self._digest = hashlib.sha256()
        for split, items in sorted(data.splits.items()):
            self._digest.update(f"{split}\n".encode())
            self._digest.update(_lines(items))
        self._counts = Counter(item.label for item in data.splits.get("train", ()))

    def train_images(self) -> tuple[int, ...]:
        """How many training images there are of each class."""
        return tuple(self._counts[label] for label in sorted(self._counts))

    def digest(self) -> hashlib._Hash:
        """A hash of the splits, to which more can be added."""
        return self._digest.copy()


class CellCheck:
    """Looks at cells one after the other; every data set is listed once.

    Args:
        out: folder of the experiment. here: it is this machine that carries the runs out, not a cluster.
        store: address of which `out` is a mirror.
    """

    def __init__(self, out: Path, *, here: bool = True, store: str | None = None) -> None:
        self._out = out
        self._store = store
        self._here = here
        self._data: dict[str, Listed | DaptError] = {}
        self._digests: dict[str, str] = {}
        self._contents: dict[Path, str] = {}  # of files that lend backgrounds, for the cells of all seeds

    def __call__(self, cell: Cell) -> Prepared:
        """The cell, ready to be carried out.

        Raises:
            DaptError: its settings contradict each other or ask for what is not there.
        """
        config = with_absolute_paths(make_config(cell.settings))
        runs: tuple[RunConfig, ...] = (config,)
        plan: Plan | None = None
        if cell.protocol is not None:
            plan = get_protocol(cell.protocol, cell.over).plan(cell.settings, cell.folder)
            runs = tuple(with_absolute_paths(run) for run in plan.runs.values())
        for run in runs:
            check_settings(run, here=self._here)
        listed = self._listed(config)
        for run in runs:
            _check_there(run, listed.data)
        others = [] if plan is None else [*self._lent(plan, listed.data), *self._tested(plan, config)]
        job = Job(
            cell.name,
            config,
            within=self._out,
            task=None if cell.protocol is None else carry_out_protocol,
            protocol=cell.protocol,
            over=cell.over,
            settings=cell.settings,
            store=None if self._store is None else f"{self._store.rstrip('/')}/{cell.name}",
        )
        return Prepared(cell, job, runs, key_of(cell, runs, listed, others), listed.train_images())

    def _lent(self, plan: Plan, data: ImageSet) -> list[str]:
        """Whether audits can be had, and hashes of the photographs of other data that may lend backgrounds to them.

        Raises:
            DaptError: see `check_lists`.
        """
        found = []
        for audit in plan.audits:
            question = question_of(with_absolute_paths(plan.runs[audit.run]), audit.backgrounds)
            lent = check_lists(question, data)
            if lent is None:
                continue
            place = json.dumps([question.backgrounds, question.root, question.skip_bad, question.seed])
            if place not in self._digests:
                self._digests[place] = digest_of_lent(lent, question.seed, self._contents)
            found.append(self._digests[place])
        return found

    def _tested(self, plan: Plan, config: RunConfig) -> list[str]:
        """Hashes of the lists of test images of the data that runs are evaluated on.

        Raises:
            DaptError: see `targets_of`.
        """
        how = {"root": config.root, "own_split": config.own_split, "skip_bad": config.skip_bad}
        found = targets_of(plan, lambda name: self._loaded(name, how, None).data)
        return [hashlib.sha256(_lines(data.labelled("test"))).hexdigest() for data in found.values()]

    def _listed(self, config: RunConfig) -> Listed:
        how: dict[str, Any] = {
            "names": config.names,
            "root": config.root,
            "own_split": config.own_split,
            "skip_bad": config.skip_bad,
            "split_file": config.split_file,
        }
        return self._loaded(config.data, how, config)

    def _loaded(self, name: str, how: Mapping[str, Any], config: RunConfig | None) -> Listed:
        own = (config.split_rule, config.keep_split, config.classes) if config else None
        place = json.dumps([name, how, own])
        if place not in self._data:
            try:
                self._data[place] = Listed(load_data(name, **how, **(how_divided(config) if config else {})))
            except DaptError as error:
                self._data[place] = error
        found = self._data[place]
        if isinstance(found, DaptError):
            raise found
        return found


def _check_there(config: RunConfig, data: ImageSet) -> None:
    """Refuse backbones and mask folders that are not there or not known, and masks of data that has none.

    Raises:
        DaptError: naming what is missing.
    """
    backbones = [config.prompt[name] for name in config.recipe.options.naming(Names.BACKBONE) if config.prompt[name]]
    for spec in [config.model, *backbones]:
        check_spec(spec)
    if not config.dapt.enabled:
        return
    folder = mask_folder(config.masks, "'masks'")
    if config.cue.source != "masks" or folder is not None or data.outlines:
        return
    if not any(item.mask is not None for item in data.splits.get("train", ())):
        raise ConfigError(
            f"None of the training images of {data.name} has a mask, so the cue masks has nothing to read.",
            todo="Name their folder with the key 'masks', or use another cue, such as border.",
        )


def key_of(cell: Cell, runs: tuple[RunConfig, ...], listed: Listed, others: Sequence[str] = ()) -> str:
    """A hash of the settings of all runs of a cell, of its data's split, and of the rules of training.

    Args:
        others: hashes of other data that lends backgrounds to audits of its runs, or that they are tested on.
    """
    digest = listed.digest()
    parts = [
        [result_settings(run) for run in runs],
        cell.protocol,
        cell.over,
        list(listed.data.names),
        [_content(Path(file)) for run in runs for file in run.plugins],
        CODE_SCHEMA,
        *others,
    ]
    digest.update(json.dumps(parts, sort_keys=True, default=str).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def digest_of_lent(data: ImageSet, seed: int, contents: dict[Path, str]) -> str:
    """A hash of the photographs that may lend backgrounds, and of their masks: no run compares these.

    Args:
        contents: hashes of files that were read before, to which those read here are added.
    """
    digest = hashlib.sha256()
    for item in may_lend(data, seed)[:MOST]:
        files = [item.path, *([] if item.mask is None else [item.mask])]
        for path in files:
            if path not in contents:
                contents[path] = _content(path)
        known = [contents[path] for path in files]
        digest.update(json.dumps([item.name, *known]).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _lines(items: Iterable[Item]) -> bytes:
    return "".join(f"{item.name}\t{item.label}\n" for item in items).encode("utf-8", "surrogateescape")


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:  # the run says what is wrong with it
        return ""
