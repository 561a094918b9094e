"""A small audit that several rooms of tests look at."""

from __future__ import annotations

from pathlib import Path

from dapt.runs.audit_images import Question
from dapt.runs.audit_models import open_models
from dapt.runs.audit_run import Audit, run_audit
from helpers import make_csv, save_tiny_model

VARIANTS = 9


def small_audit(place: Path, *, models: int = 2, **changes: object) -> Audit:
    """Random models asked zero-shot about eight test images of four classes, in ``table/`` below `place`."""
    specs = [save_tiny_model(place / f"model{seed}", seed) for seed in range(models)]
    data = place / "table" / "index.csv"
    if not data.is_file():
        make_csv(place / "table")
    question = Question(str(data), **changes)  # type: ignore[arg-type]
    return run_audit(open_models(specs, device="cpu"), question, device="cpu")
