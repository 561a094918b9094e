"""DAPT's settings, for people: of the options, for `dapt methods info dapt` and the table of docs/dapt.md."""

from __future__ import annotations

from typing import Any, get_args

from dapt.console import lines_of
from dapt.dapt_names import beginning
from dapt.dapt_options import DEFAULT_VARIANT, DaptOptions
from dapt.dapt_variants import Variant

NAME = "dapt"  # where names of methods are asked for
LISTED = 2  # items of a list


def dapt_card() -> str:
    """Every setting with its default, what variants set instead, and what it means, as lines of text."""
    lines = [f"settings of DAPT (--set dapt.NAME=VALUE) with --dapt, that is with its variant {DEFAULT_VARIANT}:"]
    for key, default, others, meaning in _rows():
        lines.append(f"  {key} = {default}{f' ({others})' if others else ''}  {meaning}")
    return lines_of([*lines, "docs/dapt.md explains variants and terms."])


def dapt_table() -> str:
    """The same as a Markdown table."""
    lines = [f"| `--set dapt.` | default (`{DEFAULT_VARIANT}`) | other variants | what it is |", "|---|---|---|---|"]
    for key, default, others, meaning in _rows():
        lines.append("| " + " | ".join([f"`{key}`", default, others, meaning]) + " |")
    return "\n".join(lines) + "\n"


def _rows() -> list[tuple[str, str, str, str]]:
    """Of each setting its name, default, what other variants set, and meaning."""
    usual = DaptOptions(enabled=True)
    return [
        (key, _shown(getattr(usual, key)), _others(key, getattr(usual, key)), field.description or "")
        for key, field in DaptOptions.model_fields.items()
    ]


def _others(key: str, usual: Any) -> str:
    """What variants set that is another value than the default."""
    found: dict[str, list[str]] = {}
    for variant in get_args(Variant):
        value = getattr(DaptOptions(enabled=True, variant=variant), key)
        if key != "variant" and value != usual:
            found.setdefault(_shown(value), []).append(variant)
    return "; ".join(f"{value}: {', '.join(variants)}" for value, variants in found.items())


def _shown(value: Any) -> str:
    """A value as `--set` takes it."""
    if isinstance(value, list):
        return beginning(value, LISTED)
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
