"""Which methods are exported in which formats: the table of docs/export.md, made of what `refusal` says."""

from __future__ import annotations

from collections.abc import Mapping

from dapt.export.choices import GRAPHS, OPEN_CLIP, TRANSFORMERS
from dapt.export.plain_clip import refusal
from dapt.model.prompted_clip import PromptedClip

HEADER = ("method", ", ".join(GRAPHS), f"{OPEN_CLIP}, {TRANSFORMERS}", "why not")
YES, NO = "yes", "no"


def method_table(models: Mapping[str, PromptedClip]) -> str:
    """A Markdown table with a row for each method; variants that are as their method have none of their own.

    Args:
        models: one of each method, by its name.
    """
    found = {name: _row(models[name]) for name in sorted(models)}
    own = {name: row for name, row in found.items() if row != found.get(name.partition(".")[0]) or "." not in name}
    rows = [HEADER, ("---",) * len(HEADER), *((f"`{name}`", *row) for name, row in own.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(model: PromptedClip) -> tuple[str, ...]:
    graph, folder = refusal(model, GRAPHS[0]), refusal(model, OPEN_CLIP)
    reason = graph or folder
    why = "" if reason is None else reason.what.partition(" ")[2].partition(", so no ")[0].rstrip(".")
    return (NO if graph else YES, NO if folder else YES, why)
