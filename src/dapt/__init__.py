"""dapt: visual-language prompt tuning for CLIP. The public Python API.

Example::

    import dapt

    run = dapt.train("photos/", model="ViT-B-16/openai", method="maple", dapt=True, shots=16)
    print(run.metrics["test/accuracy"])
    print(run.predict(["photo.jpg"])[0].classes)

    again = dapt.load(run.folder)
    again.evaluate("other_photos/")

    model = dapt.create_model("ViT-B-16/openai", "maple", ["cat", "dog"])  # an ordinary PyTorch module
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dapt.api.audit import audit
    from dapt.api.classifier import DaptClassifier
    from dapt.api.features import features
    from dapt.api.masks import import_masks, make_masks
    from dapt.api.models import create_model, create_objectives, load_model
    from dapt.api.names import list_cues, list_data, list_methods, list_selectors
    from dapt.api.runs import Run, explain, load, run_protocol, train
    from dapt.clip.load import load_clip
    from dapt.data.batch import Batch
    from dapt.errors import DaptError
    from dapt.model.predictor import Prediction, Predictor
    from dapt.model.prompted_clip import PromptedClip
    from dapt.plugins import load_plugin

__all__ = [
    "Batch",
    "DaptClassifier",
    "DaptError",
    "Prediction",
    "Predictor",
    "PromptedClip",
    "Run",
    "audit",
    "create_model",
    "create_objectives",
    "explain",
    "features",
    "import_masks",
    "list_cues",
    "list_data",
    "list_methods",
    "list_selectors",
    "load",
    "load_clip",
    "load_model",
    "load_plugin",
    "make_masks",
    "run_protocol",
    "train",
]

_WHERE = {
    "Batch": "dapt.data.batch",
    "DaptClassifier": "dapt.api.classifier",
    "DaptError": "dapt.errors",
    "Prediction": "dapt.model.predictor",
    "Predictor": "dapt.model.predictor",
    "PromptedClip": "dapt.model.prompted_clip",
    "Run": "dapt.api.runs",
    "audit": "dapt.api.audit",
    "create_model": "dapt.api.models",
    "create_objectives": "dapt.api.models",
    "explain": "dapt.api.runs",
    "features": "dapt.api.features",
    "import_masks": "dapt.api.masks",
    "list_cues": "dapt.api.names",
    "list_data": "dapt.api.names",
    "list_methods": "dapt.api.names",
    "list_selectors": "dapt.api.names",
    "load": "dapt.api.runs",
    "load_clip": "dapt.clip.load",
    "load_model": "dapt.api.models",
    "load_plugin": "dapt.plugins",
    "make_masks": "dapt.api.masks",
    "run_protocol": "dapt.api.runs",
    "train": "dapt.api.runs",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that ``import dapt`` is instant."""
    if name not in _WHERE:
        raise AttributeError(f"module 'dapt' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__
