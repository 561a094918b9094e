"""What a method is: a declaration that names its parts and its published settings.

These files import nothing heavy, so that methods can be listed and options checked instantly.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from dapt.errors import NotSupportedError
from dapt.methods.search import Space
from dapt.registry import Registry
from dapt.strict import PartOptions

OptimizerName = Literal["sgd", "adam", "adamw", "lion", "muon"]
CROSS_ENTROPY = "dapt.objectives.classification:Classification"


class MethodOptions(PartOptions):
    """The options of one method (`prompt.*` in YAML)."""


@dataclass(frozen=True)
class TrainingDefaults:
    """Published training settings of a method.

    Attributes:
        epochs_by_shots: where the epochs depend on the shots, the epochs for up to that many shots.
        adam_eps: what Adam and AdamW add to the denominator; None: 1e-8, as torch does.
        warmup_epochs: epochs at a constant 1e-5 before the cosine starts.
        source: where the figures come from.
    """

    lr: float = 0.002
    epochs: int = 5
    batch_size: int = 4
    epochs_by_shots: Mapping[int, int] = field(default_factory=dict)
    optimizer: OptimizerName = "sgd"
    adam_eps: float | None = None
    weight_decay: float = 5e-4
    warmup_epochs: int = 1
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
        objectives: ``"module:Class"`` of its loss terms, in the order in which they are reported.
        trains: false for methods that no training step changes.
        label_free: it learns from images without their labels.
        preset: option values that differ from the type's own defaults (for ``method.variant`` names).
        formula: the loss or prediction rule in one line of plain text.
        differences: known differences from the released code, a sentence each.
        parameters: how many are trained, in words, where that follows from the data; empty: they can be counted.
        counted_with: option values to count them with, where they follow from something else.
        title: what tables and pages call it, as in its paper; the name where nothing else is said.
        packages: what it imports that is no dependency of dapt, each with the extra of dapt that brings it.
        search: what `dapt tune` goes over beside learning rate, weight decay and epochs, by dotted key of run.yaml;
            what `preset` fixes is left out.
    """

    name: str
    summary: str
    paper: str
    architecture: str
    options: type[MethodOptions]
    training: TrainingDefaults = TrainingDefaults()
    objectives: tuple[str, ...] = (CROSS_ENTROPY,)
    trains: bool = True
    label_free: bool = False
    preset: Mapping[str, Any] = field(default_factory=dict)
    formula: str = "CE(s f w^T, y)"
    differences: tuple[str, ...] = ()
    parameters: str = ""
    counted_with: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    search: Space = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", self.name)

    def check_packages(self) -> None:
        """Refuse the method where a package that it needs is not installed.

        Raises:
            NotSupportedError: naming the package and what installs it.
        """
        for package, extra in self.packages.items():
            if importlib.util.find_spec(package) is None:
                raise NotSupportedError(
                    f"The method {self.name} needs the package {package}, which is not installed.",
                    todo=f"Run: pip install 'dapt[{extra}]'",
                )

    def load_architecture(self) -> Any:
        """Import the prompt architecture's class (imports torch)."""
        return _load(self.architecture)

    def load_objectives(self) -> list[Any]:
        """Import the classes of the loss terms (imports torch)."""
        return [_load(name) for name in self.objectives]


def _load(name: str) -> Any:
    """The object that ``"module:name"`` names."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


METHODS: Registry[Method] = Registry("method", "dapt.methods")


def add_method(method: Method) -> Method:
    """Register `method` under its name."""
    return METHODS.add(method.name, method)


def add_variant(method: Method, name: str, summary: str, **changes: Any) -> Method:
    """Register `method` with other published settings as ``METHOD.NAME``.

    Args:
        changes: fields of `Method` that differ; `preset` is added to that of `method`. Without a title of its own it is
            called as `method` and its name.
    """
    preset = {**method.preset, **changes.pop("preset", {})}
    changes.setdefault("title", f"{method.title} {name.replace('_', ' ')}")
    return add_method(replace(method, name=f"{method.name}.{name}", summary=summary, preset=preset, **changes))
