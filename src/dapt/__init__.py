"""dapt: visual-language prompt tuning for CLIP. The public Python API.

Example::

    import dapt

    run = dapt.train("photos/", model="ViT-B-16/openai", method="maple", dapt=True, shots=16)
    print(run.metrics["test/accuracy"])
    print(run.predict(["photo.jpg"])[0].classes)

    again = dapt.load(run.folder)
    again.evaluate("other_photos/")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dapt.api import Run, load, run_protocol, train
    from dapt.clip.load import load_clip
    from dapt.errors import DaptError
    from dapt.model.predictor import Prediction

__all__ = ["DaptError", "Prediction", "Run", "load", "load_clip", "run_protocol", "train"]

_WHERE = {
    "DaptError": "dapt.errors",
    "Prediction": "dapt.runs.predict",
    "Run": "dapt.api",
    "load": "dapt.api",
    "load_clip": "dapt.clip.load",
    "run_protocol": "dapt.api",
    "train": "dapt.api",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that ``import dapt`` is instant."""
    if name not in _WHERE:
        raise AttributeError(f"module 'dapt' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__
