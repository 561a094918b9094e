"""What a method is, for people: `dapt methods` and the table of the README are made from the registry by this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dapt.console import lines_of, visible
from dapt.methods.base import METHODS, Method, TrainingDefaults

if TYPE_CHECKING:
    from dapt.clip.frozen import FrozenClip
    from dapt.model.prompted_clip import PromptedClip

BACKBONE = "ViT-B-16-quickgelu"
CLASSES = 100


@dataclass(frozen=True)
class MethodFacts:
    """What is found by building a method on a backbone.

    Attributes:
        parameters: number of trained parameters, or how it follows from the data. terms: DAPT's terms that can teach
            it something. left_out: one sentence for each other term.
    """

    parameters: str
    terms: tuple[str, ...]
    left_out: tuple[str, ...]


def build_for_counting(
    method: Method, clip: FrozenClip, classes: int, given: Mapping[str, Any] | None = None
) -> PromptedClip:
    """The method on a backbone with `classes` made-up classes, and the options `given`."""
    import torch

    from dapt.model.prompted_clip import PromptedClip

    options = {**method.counted_with, **method.preset, **(given or {})}
    names = [f"class {number}" for number in range(classes)]
    generator = torch.Generator().manual_seed(0)
    architecture = method.load_architecture()(method.options.model_validate(options), clip, names, generator)
    return PromptedClip(clip, architecture, names)


def facts(method: Method, clip: FrozenClip, classes: int = CLASSES) -> MethodFacts:
    """Count the method's parameters and see which DAPT terms can reach them."""
    from dapt.config import DaptOptions
    from dapt.objectives.disentangle import Disentangle

    model = build_for_counting(method, clip, classes)
    count = method.parameters or f"{model.prompts.count():,}"
    if not method.trains:
        return MethodFacts(count, (), (f"{method.name} has no training steps, so DAPT does not apply.",))
    dapt = Disentangle(DaptOptions(enabled=True), model.trainable())
    return MethodFacts(count, tuple(dapt.active(0, 1)), tuple(dapt.left_out))


def card(method: Method, found: MethodFacts, backbone: str, classes: int) -> str:
    """All there is to say about a method, as lines of text."""
    options = method.options.model_validate(dict(method.preset))
    training = method.training
    lines = [
        f"{method.name}: {method.summary}",
        f"paper: {method.paper}",
        f"formula: {method.formula}",
        f"trained parameters: {found.parameters} ({backbone}, {classes} classes)",
        f"DAPT terms: {', '.join(found.terms) or 'none'}",
        *(f"  {sentence}" for sentence in found.left_out),
    ]
    if method.trains:
        lines.append(
            f"training: {_optimiser(training)}, lr {training.lr}, {training.epochs} epochs, "
            f"batch {training.batch_size}, weight decay {training.weight_decay}, "
            f"{training.warmup_epochs} warm-up epochs ({training.source})"
        )
        lines += [
            f"  up to {limit} shots: {epochs} epochs" for limit, epochs in sorted(training.epochs_by_shots.items())
        ]
    lines.append("options (--set prompt.NAME=VALUE):")
    for key, field in method.options.model_fields.items():
        lines.append(f"  {key} = {_short(getattr(options, key))}  {field.description or ''}")
    if method.differences:
        lines += ["known differences from the released code:", *(f"  - {text}" for text in method.differences)]
    return lines_of(lines)


def _optimiser(training: TrainingDefaults) -> str:
    eps = "" if training.adam_eps is None else f" (eps {training.adam_eps:g})"
    return f"{training.optimizer}{eps}"


def _short(value: object) -> str:
    text = repr(value)
    if isinstance(value, list) and len(value) > 3:
        return f"[{value[0]!r}, ... {len(value)} in all]"
    return text


def markdown_table(clip: FrozenClip, classes: int = CLASSES) -> str:
    """The README's table: one row per method, its variants on their parent's row."""
    lines = ["| `--method` | what is learned | parameters | DAPT terms | paper |", "|---|---|---:|---|---|"]
    for family in families():
        rows = [METHODS.get(name) for name in family]
        found = [facts(method, clip, classes) for method in rows]
        counts = list(dict.fromkeys(part.parameters for part in found))
        cells = [
            ", ".join(f"`{method.name}`" for method in rows),
            rows[0].summary,
            "; ".join(counts),
            "; ".join(dict.fromkeys(", ".join(part.terms) or "–" for part in found)),
            rows[0].paper,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def settings_table() -> str:
    """The published settings of every method and variant, with their sources, as a Markdown table."""
    lines = ["| method | lr | epochs | batch | optimiser | options | source |", "|---|---:|---:|---:|---|---|---|"]
    for name in METHODS.names():
        method = METHODS.get(name)
        if not method.trains:
            continue
        training = method.training
        epochs = str(training.epochs)
        if training.epochs_by_shots:
            epochs = ", ".join(
                f"{count} (≤ {shots} shots)" for shots, count in sorted(training.epochs_by_shots.items())
            )
        optimiser = f"{_optimiser(training)}, decay {training.weight_decay:g}"
        preset = ", ".join(f"{key} {value}" for key, value in method.preset.items())
        cells = [f"`{name}`", f"{training.lr:g}", epochs, str(training.batch_size), optimiser, preset, training.source]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def families() -> list[list[str]]:
    """Method names grouped with their variants: ``maple`` with ``maple.cross``."""
    grouped: dict[str, list[str]] = {}
    for name in METHODS.names():
        grouped.setdefault(name.partition(".")[0], []).append(name)
    return list(grouped.values())


def overview(names: Sequence[str]) -> str:
    """One line per method: name and summary."""
    shown = {name: visible(name) for name in names}
    width = max(len(text) for text in shown.values())
    return lines_of(f"{text:<{width}}  {METHODS.get(name).summary}" for name, text in shown.items())
