"""What is said in the end of an experiment whose cells are not all done: each reason once, with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dapt.config import RunSettings
from dapt.errors import DaptError
from dapt.experiments.run_all import RESUME, told
from dapt.wording import counted, listing, some

SHOWN = 20  # reasons that are told
OVERWRITE = "--overwrite makes it again."
SAID_ONCE = (OVERWRITE, RESUME)  # advice that is given for all cells together
# Options of `dapt train` that are no settings by that name.
OTHERWISE = {
    "n-ctx": "prompt.n_ctx",
    "depth": "prompt.depth",
    "plugin": "plugins",
    "over": "over",
    "protocol": "protocol",
}
_OPTION = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)")


class UnfinishedError(DaptError):
    """Some cells of an experiment failed or contradict themselves; the others are done."""


@dataclass(frozen=True)
class Wrong:
    """What is wrong with cells, by their names.

    Attributes:
        failed: what they ended with. contradictory: why they cannot be run. others: why they are left alone, as their
            folders hold another run.
    """

    failed: Mapping[str, Exception]
    contradictory: Mapping[str, Exception]
    others: Mapping[str, Exception]


def unfinished(wrong: Wrong, total: int, rest: str, where: str) -> UnfinishedError | None:
    """The error that tells of all cells with which something is wrong, None if there are none.

    Args:
        total: cells of the experiment. rest: what is said of those with which nothing is wrong. where: their record.
    """
    every: dict[str, Exception] = {**wrong.contradictory, **wrong.others, **wrong.failed}
    if not every:
        return None
    parts = [f"{len(wrong.failed)} failed"] if wrong.failed else []
    parts += [f"{len(wrong.contradictory)} cannot be run"] if wrong.contradictory else []
    if wrong.others:
        parts.append(f"{len(wrong.others)} {'holds' if len(wrong.others) == 1 else 'hold'} another run")
    left = total - len(every)
    behind = (
        f"; the other {left} {rest}" if left > 1 else f"; the other one {rest.replace('are', 'is')}" if left else ""
    )
    reasons = _by_reason(every)
    more = reasons[:SHOWN] + ([f"and {len(reasons) - SHOWN} more, see {where}"] if len(reasons) > SHOWN else [])
    if keys := _keys_for_options(more):
        more.append(keys)
    return UnfinishedError(
        f"Of {counted(total, 'cell')} {listing(parts)}{behind}.",
        more=more,
        todo="Mend that, or leave them out with 'exclude', and give the same command again."
        + (" --overwrite makes those again that hold another run." if wrong.others else ""),
    )


def _by_reason(wrong: Mapping[str, Exception]) -> list[str]:
    """What is wrong, once for all cells that it concerns."""
    names: dict[str, list[str]] = {}
    for name, error in wrong.items():
        names.setdefault(_whole(error), []).append(name)
    return [f"{_named(cells)}: {reason}" for reason, cells in names.items()]


def _named(cells: list[str]) -> str:
    return cells[0] if len(cells) == 1 else f"{len(cells)} cells ({some(cells, 2)})"


def _whole(error: Exception) -> str:
    """An error in one line: what is wrong, in which runs of a protocol, and what to do unless that is said for all."""
    if not isinstance(error, DaptError):
        return told(error)
    parts = [told(error), "; ".join(error.more), "" if error.todo in SAID_ONCE else error.todo]
    return " ".join(part for part in parts if part)


def _keys_for_options(lines: Iterable[str]) -> str:
    """Advice names options of `dapt train`: which keys of the file these are, empty where no line names one."""
    named = dict.fromkeys(option for line in lines for option in _OPTION.findall(line))
    keys = {option: _key_of(option) for option in named}
    known = [f"--{option} is {key}" for option, key in keys.items() if key]
    return f"Options are keys of the file here: {listing(known)}." if known else ""


def _key_of(option: str) -> str:
    """The key of an option of `dapt train`; empty for one that `dapt run` has itself, and for none."""
    if option in OTHERWISE:
        return OTHERWISE[option]
    key = option.replace("-", "_")
    return key if key in RunSettings.model_fields and key != "out" else ""
