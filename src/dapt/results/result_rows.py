"""From the files of a run or protocol to rows of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from dapt.results.records import SCHEMA, ProtocolResults, RunResults

Row = dict[str, Any]
ABOUT = ("method", "dapt", "backbone", "data", "shots", "seed", "subset", "cue")
PARTS = ("counts", "timing", "environment")
MOST = 1e15  # no figure of a run is larger; sums of larger ones lose digits or overflow
# Those of C are ten times as fast, which counts with ten thousand runs.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadError(Exception):
    """What is in a file is no result."""


def row_of_run(results: bytes, settings: bytes | None) -> Row:
    """A run as a row.

    Columns: what it is about (``method``, ``dapt``, ``backbone``, ``data``, ``shots``, ``seed``, ``subset``, ``cue``),
    each setting of run.yaml behind ``set/`` with dots between sections, each figure by its name (``test/accuracy``, in
    percent), and counts, seconds and the environment behind ``counts/``, ``timing/``, ``environment/``. Lists are JSON
    texts.

    Args:
        results: content of results.json. settings: content of run.yaml, if it is there.

    Raises:
        UnreadError: one of them is damaged, of a newer version, or holds figures that no run has.
    """
    found = _record(RunResults, results)
    _check(found)
    row: Row = {"kind": "run", "point": None}
    row |= {key: getattr(found, key) for key in ABOUT}
    if settings is not None:
        try:
            _check_aliases(settings)
            tree = yaml.load(settings, _LOADER)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise UnreadError("run.yaml is damaged") from error
        given = flat(tree if isinstance(tree, dict) else {})
        if any(isinstance(value, int) and abs(value) >= 2**63 for value in given.values()):
            raise UnreadError("run.yaml is damaged: it has a number of more than 19 digits")
        row |= {f"set/{key}": value for key, value in given.items()}
    row |= found.metrics
    for part in PARTS:
        row |= {f"{part}/{key}": value for key, value in flat(getattr(found, part)).items()}
    row["flags"] = " ".join(found.flags)
    row["per_class"] = json.dumps(found.per_class, sort_keys=True)
    return row


def rows_of_protocol(content: bytes, runs: Mapping[str, Row]) -> list[tuple[str, Row]]:
    """What a protocol adds to the rows of its runs: its name and points, and a row for each evaluation elsewhere.

    Args:
        runs: rows of the runs in its folder, by name of their folders; those are changed.

    Returns:
        the rows of evaluations, with the name of the folder of the run that was evaluated.

    Raises:
        UnreadError: it is damaged, or of a newer version.
    """
    found = _record(ProtocolResults, content)
    for each in found.rows:
        _check_figures(each.metrics)
    more: list[tuple[str, Row]] = []
    seen: set[str] = set()
    for each in found.rows:
        run = runs.get(each.run)
        if run is None:
            continue  # it was not finished, or has been removed
        if each.run not in seen:
            seen.add(each.run)
            run |= {"protocol": found.protocol, "point": each.point}
            continue
        kept = {key: value for key, value in run.items() if key in ABOUT or key.startswith(("set/", "environment/"))}
        try:
            about = columns_of_audit(each.asked) if "masks" in each.asked else columns_of_target(each.asked)
        except (AttributeError, TypeError) as error:
            raise UnreadError("it is damaged") from error
        row = {**kept, **each.metrics, **about, "kind": "evaluation", "protocol": found.protocol, "point": each.point}
        more.append((each.run, row))
    return more


def columns_of_target(asked: Mapping[str, Any]) -> Row:
    """Where data is that a run was tested on, and what is in it, as far as it says: ``point/place`` and so on."""
    return {f"point/{key}": asked[key] for key in ("place", "images", "classes") if asked.get(key) is not None}


def columns_of_audit(asked: Mapping[str, Any]) -> Row:
    """What an audit asked, as far as it says: ``audit/split``, ``audit/seed`` (of the mixtures), ``audit/masks``.

    And ``audit/guesses``, where masks are guesses: of what, in words; ``audit/backgrounds``, other data that lent some,
    its place and how many images it has; ``audit/place`` and ``audit/classes`` of the data that was asked about.
    """
    masks, lent = asked.get("masks") or {}, asked.get("backgrounds") or {}
    found = {
        "split": asked.get("split"),
        "seed": asked.get("seed"),
        "masks": masks.get("source"),
        "guesses": masks.get("words") if masks.get("guessed") else None,
        "backgrounds": lent.get("data"),
        "backgrounds_place": lent.get("place"),
        "backgrounds_of": lent.get("of"),
        "place": asked.get("place"),
        "classes": len(asked["classes"]) if "classes" in asked else None,
    }
    return {f"audit/{key}": value for key, value in found.items() if value is not None}


def _check(found: RunResults) -> None:
    """Refuse what no run has: it would go into means, or could not be kept.

    Raises:
        UnreadError: naming it.
    """
    for name, number in (("shots", found.shots), ("seed", found.seed)):
        if not 0 <= number < 2**63:
            raise UnreadError(f"it is damaged: {name} is {number:.3g}")
    for text in (found.method, found.backbone, found.data, found.subset, found.cue or ""):
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise UnreadError(f"it is damaged: {text!a} is no text")
    _check_figures({**found.metrics, **found.timing})


def _check_figures(figures: Mapping[str, float | None]) -> None:
    for name, value in figures.items():
        if value is not None and not abs(value) < MOST:
            raise UnreadError(f"it is damaged: {name} is {value:g}")


def _check_aliases(settings: bytes) -> None:
    """Refuse YAML that refers to parts of itself, which dapt never writes: a few lines of it grow without bound.

    Raises:
        UnreadError: it does. yaml.YAMLError: it is damaged.
    """
    if b"&" not in settings or b"*" not in settings:  # of most files nothing else need be looked at
        return
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(settings, _LOADER)):
        raise UnreadError("dapt did not write its run.yaml: it refers to parts of itself")


def flat(tree: Mapping[str, Any], prefix: str = "") -> Row:
    """A nested mapping with dotted keys; lists as JSON texts."""
    found: Row = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = json.dumps(value) if isinstance(value, list) else value
    return found


def _record(kind: Any, content: bytes) -> Any:
    try:
        tree = json.loads(content)
        schema = tree.get("schema")
    except (ValueError, AttributeError, RecursionError) as error:
        raise UnreadError("it is damaged") from error
    if isinstance(schema, int) and schema > SCHEMA:
        raise UnreadError("it was written by a newer version of dapt")
    if schema not in (1, SCHEMA):
        raise UnreadError("dapt did not write it")
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise UnreadError("it is damaged") from error
