"""The test images of a run."""

from __future__ import annotations

from pathlib import Path

from dapt.runs.evaluated_images import evaluated_images
from dapt.runs.run_folder import find_run


def test_all_and_halves(trained: Path) -> None:
    config = find_run(trained).config()
    assert len(evaluated_images(config, trained).items) == 8
    base, novel = (evaluated_images(config, trained, classes) for classes in ("base", "novel"))
    assert len(base.items) == len(novel.items) == 4
    assert not set(base.names) & set(novel.names)
