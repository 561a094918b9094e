"""What a method is: a declaration that names its parts and its published settings.

These files import nothing heavy, so that methods can be listed and options checked instantly.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from dapt.registry import Registry


class MethodOptions(BaseModel):
    """The options of one method (`prompt.*` in YAML). Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", validate_default=True)


@dataclass(frozen=True)
class TrainingDefaults:
    """Published training settings of a method.

    Attributes:
        epochs_by_shots: where the epochs depend on the shots, the epochs for up to that many shots.
        source: where the figures come from.
    """

    lr: float = 0.002
    epochs: int = 5
    batch_size: int = 4
    epochs_by_shots: Mapping[int, int] = field(default_factory=dict)
    source: str = ""

    def epochs_for(self, shots: int) -> int:
        """Epochs for a number of shots (0 means the full data)."""
        for limit in sorted(self.epochs_by_shots):
            if 0 < shots <= limit:
                return self.epochs_by_shots[limit]
        return self.epochs


@dataclass(frozen=True)
class Method:
    """A method by name.

    Attributes:
        architecture: ``"module:Class"`` of its prompt architecture.
        options: the type of its options.
        trains: false for methods without trainable parameters.
        preset: option values that differ from the type's own defaults (for ``method.variant`` names).
    """

    name: str
    summary: str
    paper: str
    architecture: str
    options: type[MethodOptions]
    training: TrainingDefaults = TrainingDefaults()
    trains: bool = True
    preset: Mapping[str, Any] = field(default_factory=dict)

    def load_architecture(self) -> Any:
        """Import the prompt architecture's class (imports torch)."""
        module, _, name = self.architecture.partition(":")
        return getattr(importlib.import_module(module), name)


METHODS: Registry[Method] = Registry("method", "dapt.methods")


def add_method(method: Method) -> Method:
    """Register `method` under its name."""
    return METHODS.add(method.name, method)
