"""How the figures of later evaluations are known in the folder of a run."""

from __future__ import annotations

from pathlib import Path

from dapt.old_folders import holds_keys

EVALUATIONS = "eval"
EVALUATION_KEYS = {"schema", "run", "split", "metrics", "counts"}


def is_evaluation(path: Path) -> bool:
    """Whether a file holds figures that `dapt eval` wrote."""
    return holds_keys(path, EVALUATION_KEYS)
