"""Masks made by the processes of a Ray cluster: chunks of images go out, PNG files come back, and are kept here.

One process, the one that was started, writes the folder, exactly as without a cluster: nodes need the photographs at
the same paths, but not the folder of the masks. A chunk whose process was killed is given to another one (Ray restarts
the process), and what comes back is noted and written once.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dapt import errors
from dapt.clusters import Cluster
from dapt.console import keep_lines, say, set_quiet, warn
from dapt.cues.base import Cue
from dapt.cues.model_cue import ModelCue
from dapt.data.items import Item
from dapt.errors import ConfigError, DaptError, DataError
from dapt.runs.making_masks import Chunk, chunk_of, chunk_pool, keep_masks, make_chunk
from dapt.runs.mask_folder import MaskFolder
from dapt.runs.mask_order import MaskOrder, Parcel, packed
from dapt.wording import counted

if TYPE_CHECKING:
    import numpy as np

    from dapt.model.prompted_clip import PromptedClip

STAMP = len("2025-01-01 00:00:00 ")  # before each line that is kept
IN_FLIGHT = 2  # chunks that wait at each process


@dataclass(frozen=True)
class Answer:
    """What comes back for a chunk.

    Attributes:
        chunk: the masks; None: they could not be made. error: why not, the fields of a `DaptError`.
        lines: what was said on the way. node: the machine it was made on.
    """

    chunk: Chunk | None
    error: tuple[str, str, str, str, tuple[str, ...]] | None = None
    lines: tuple[str, ...] = ()
    node: str = ""


def make_masks_on(
    cluster: Cluster, order: MaskOrder, cue: Cue, folder: MaskFolder, items: Sequence[Item], workers: int | None
) -> None:
    """Make, note and write masks, as `dapt.runs.making_masks.make_masks` does at the photographs' sizes.

    Args:
        order: how they are made. cue: as the order makes it. items: those without a mask.
        workers: processes at most; None: one per GPU for cues that compute on one, else one per core.

    Raises:
        DaptError: an image cannot be read, a node does not see the photographs, or the cluster fails.
    """
    if not items:
        return
    gpus = _gpus(cluster, order, cue)
    most = workers or max(cluster.gpus if gpus else cluster.cpus, 1)
    size = chunk_of(cue)
    chunks = [list(items[start : start + size]) for start in range(0, len(items), size)]
    most = min(most, len(chunks))
    device = "cuda" if gpus else "cpu" if order.device.startswith("cuda") else order.device
    say(
        f"{counted(len(items), 'mask')} in {counted(len(chunks), 'chunk')} by up to {counted(most, 'worker')} "
        f"of the cluster, each with {'one GPU' if gpus else 'one core'}"
    )
    answers = _answers(packed(order, cue, device=device), chunks, most, gpus)
    keep_masks(folder, _once(answers, items), len(items))


def _gpus(cluster: Cluster, order: MaskOrder, cue: Cue) -> int:
    """How many GPUs each process gets."""
    computes = cue.needs_model or cue.follows_prompts or isinstance(cue, ModelCue)
    if computes and order.device.startswith("cuda") and not cluster.gpus:
        raise ConfigError(f"--device {order.device}: the cluster {cluster.address} has no GPU.")
    return int(computes and cluster.gpus > 0 and order.device.startswith(("auto", "cuda")))


def _answers(parcel: Parcel, chunks: Sequence[Sequence[Item]], most: int, gpus: int) -> Iterator[Answer]:
    import logging

    from ray.data import ActorPoolStrategy, DataContext, from_items

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = [{"items": pickle.dumps(chunk)} for chunk in chunks]
    pool = ActorPoolStrategy(min_size=1, max_size=most, max_tasks_in_flight_per_actor=IN_FLIGHT)
    made = from_items(rows, override_num_blocks=len(rows)).map_batches(
        ChunkMaker,
        fn_constructor_args=(parcel,),
        batch_size=1,
        batch_format="numpy",
        compute=pool,
        num_cpus=0 if gpus else 1,
        num_gpus=gpus,
    )
    try:
        for row in made.iter_rows():
            yield pickle.loads(row["answer"])  # what `ChunkMaker` made, of this very package
    except DaptError:
        raise
    except Exception as error:
        if type(error).__module__.split(".")[0] != "ray" and not isinstance(error, ConnectionError | RuntimeError):
            raise
        text = " ".join(str(error).split())
        raise DaptError(
            f"The cluster gave up: {type(error).__name__}: {text[:400]}.",
            todo="The masks that are there are kept; give the same command again to go on.",
        ) from error


def _once(answers: Iterator[Answer], items: Sequence[Item]) -> Iterator[Chunk]:
    """The chunks that are to be kept: each image once, and all of them.

    Raises:
        DaptError: what a process raised, or images did not come back.
    """
    left = {item.name for item in items}
    told: set[str] = set()
    for answer in answers:
        for line in answer.lines:
            if line not in told:
                told.add(line)
                (warn if line.startswith("warning: ") else say)(line.removeprefix("warning: "))
        if answer.error is not None:
            kind, what, where, todo, more = answer.error
            raise getattr(errors, kind, DaptError)(what, where=where, todo=todo, more=more)
        assert answer.chunk is not None
        entries = {name: entry for name, entry in answer.chunk.entries.items() if name in left}
        left -= entries.keys()
        if entries:
            yield Chunk(entries, {name: file for name, file in answer.chunk.files.items() if name in entries})
    if left:
        raise DaptError(
            f"{counted(len(left), 'image')} did not come back from the cluster, {min(left)} among them.",
            todo="Give the same command again to make their masks.",
        )


class ChunkMaker:
    """What a process of the cluster holds: the cue with its model, loaded for the first chunk.

    Args:
        parcel: how masks are made.
    """

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self._opened: tuple[Cue, PromptedClip | None] | None = None
        set_quiet(True)

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """The answers to a batch of chunks."""
        import numpy as np

        answers = np.empty(len(batch["items"]), dtype=object)
        for place, content in enumerate(batch["items"]):
            answers[place] = pickle.dumps(self.answer(pickle.loads(content)))
        return {"answer": answers}

    def answer(self, items: Sequence[Item]) -> Answer:
        """The masks of a chunk, or why there are none."""
        from ray.util import get_node_ip_address

        node, lines = str(get_node_ip_address()), list[str]()
        keep_lines(lines)
        try:
            if not items[0].path.exists():
                raise DataError(
                    f"The node {node} does not see the photographs: {items[0].path} is not there.",
                    todo="Put them on a disk that all nodes have at the same path.",
                )
            if self._opened is None:
                self._opened = self._parcel.open()
            cue, model = self._opened
            cue.ready(items, model)
            with chunk_pool() as pool:
                chunk = make_chunk(cue, items, model, pool, _for_all, whole=True)
        except DaptError as error:
            return Answer(None, _fields(error), _said(lines), node)
        finally:
            keep_lines(None)
        return Answer(chunk, None, _said(lines), node)


def _for_all(item: Item) -> str:
    """`dapt masks` makes masks for no class in particular."""
    return ""


def _fields(error: DaptError) -> tuple[str, str, str, str, tuple[str, ...]]:
    return type(error).__name__, error.what, error.where, error.todo, error.more


def _said(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line[STAMP:] for line in lines)
