"""Runs that nobody made, in folders: for tests of the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dapt.report.overview.material import Material, material_of
from dapt.report.tables.compared import to_hosts, to_zero_shot
from dapt.report.tables.formats import Shown
from dapt.report.tables.kinds import tables


def run(**changes: Any) -> dict[str, Any]:
    """A row of `dapt.results.load`."""
    row = {"kind": "run", "method": "maple", "dapt": False, "data": "photos", "shots": 16, "seed": 1, "subset": "all"}
    more = {"backbone": "demo", "protocol": None, "point": None, "cue": None, "test/accuracy": 50.0}
    return {**row, **more, "run": "nowhere", **changes}


def material(rows: list[dict[str, Any]]) -> Material:
    """What the page is made of."""
    shown = [Shown(grid, to_hosts(grid), to_zero_shot(grid)) for grid in tables(rows)]
    return material_of(rows, shown, ["runs"], {})


def in_folder(folder: Path, results: dict[str, Any], epochs: list[dict[str, Any]] | None = None) -> str:
    """A run folder with what the page reads there; returns its name."""
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results))
    if epochs is not None:
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in epochs))
    return str(folder)


def pair(**changes: Any) -> list[dict[str, Any]]:
    """A host and its row with DAPT, two seeds each, by shots."""
    return [
        run(
            dapt=dapt,
            seed=seed,
            shots=shots,
            cue="masks" if dapt else None,
            **{"test/accuracy": 50.0 + shots + seed + 3 * dapt},
            **changes,
        )
        for shots in (1, 16)
        for dapt in (False, True)
        for seed in (1, 2)
    ]
