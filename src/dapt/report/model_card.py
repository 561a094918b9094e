"""The README of a shared classifier: what it answers, how well, from which pictures, and where not to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from dapt.console import visible
from dapt.evaluation.accuracy_interval import wilson
from dapt.methods.base import METHODS
from dapt.wording import counted

SMALL = 200  # test pictures below which the card calls the set small
SPLITS = {"train": "training", "val": "validation", "test": "test"}
DAPT = (
    "DAPT's terms were added to the loss: foreground and background of each picture are aligned with texts "
    "of their own."
)
CITATION = """@article{zhang2025decouple,
  title   = {Decouple Before Align: Visual Disentanglement Enhances Prompt Tuning},
  author  = {Zhang, Fei and Zhou, Tianfei and Yao, Jiangchao and Zhang, Ya and Tsang, Ivor W. and Wang, Yanfeng},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume  = {47}, number = {11}, pages = {10619--10632}, year = {2025}, doi = {10.1109/TPAMI.2025.3594894}
}"""


@dataclass(frozen=True)
class Accuracy:
    """How many of so many pictures were answered rightly."""

    right: int
    of: int

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{100 * self.right / self.of:.1f}% [{100 * low:.1f}, {100 * high:.1f}]"

    def interval(self) -> tuple[float, float]:
        """The ends of the 95% interval, in 0..1, see `wilson`."""
        low, high = wilson(100 * self.right / self.of, self.of)
        return low / 100, high / 100


@dataclass(frozen=True)
class CardFacts:
    """What a card is made from.

    Attributes:
        name: of the model, as a reader names it to load it. classes: its class names. model: the backbone.
        images: pictures by split and class name, as far as they are known. test, zero_shot: figures of the same test
            pictures; None: not measured. cue: what found the foreground. background: of an audit, `bg_gap` and the
            share that is answered rightly by backgrounds alone, in percent; empty: there was none.
        flags: what is suspicious about the run. version: of dapt.
    """

    name: str
    classes: Sequence[str]
    method: str
    model: str
    dapt: bool
    shots: int
    seed: int
    version: str
    images: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    test: Accuracy | None = None
    zero_shot: Accuracy | None = None
    cue: str | None = None
    background: Mapping[str, float] = field(default_factory=dict)
    flags: Sequence[str] = ()


def model_card(facts: CardFacts) -> str:
    """The whole README: metadata in YAML, then Markdown."""
    parts = [_metadata(facts), *_figures(facts), *_data(facts), *_method(facts), *_limits(facts), *_use(facts)]
    return "\n".join([*parts, "## Citation", "", f"```bibtex\n{CITATION}\n```", ""])


def _metadata(facts: CardFacts) -> str:
    tags = ["image-classification", "clip", "prompt-tuning", facts.method, *(["dapt"] if facts.dapt else [])]
    tree: dict[str, Any] = {"library_name": "dapt", "pipeline_tag": "image-classification", "tags": tags}
    if facts.model.startswith("hf-hub:"):
        tree["base_model"] = facts.model.removeprefix("hf-hub:")
    if facts.test is not None:
        tree["metrics"] = ["accuracy"]
        value = round(facts.test.right / facts.test.of, 6)
        result = {
            "task": {"type": "image-classification"},
            "dataset": {"name": "held-back pictures", "type": "imagefolder"},
            "metrics": [{"type": "accuracy", "value": value}],
        }
        tree["model-index"] = [{"name": facts.name.rpartition("/")[2], "results": [result]}]
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    return f"---\n{text}# license: to be chosen by whoever shares this model\n---\n"


def _figures(facts: CardFacts) -> list[str]:
    known = facts.method in METHODS.names()
    learned = METHODS.get(facts.method).title if known else f"`{facts.method}`"
    lines = [
        f"# {_text(facts.name.rpartition('/')[2])}",
        "",
        f"Tells {counted(len(facts.classes), 'class', 'classes')} of pictures apart. Made with dapt {facts.version}: "
        f"{learned} with the CLIP `{_backbone(facts)}`.",
        "",
        "## How well",
        "",
    ]
    if facts.test is None:
        return [*lines, "It was not tested when it was saved, so nothing is known of its accuracy.", ""]
    shown = "not measured" if facts.zero_shot is None else str(facts.zero_shot)
    return [
        *lines,
        f"Accuracy on {counted(facts.test.of, 'test picture')}, with the 95% interval (Wilson):",
        "",
        "| this model | the same CLIP without training (zero-shot) |",
        "|---|---|",
        f"| {facts.test} | {shown} |",
        "",
        *_compared(facts.test, facts.zero_shot),
    ]


def _compared(own: Accuracy, plain: Accuracy | None) -> list[str]:
    """A warning where the training has gained nothing."""
    if plain is None or own.right > plain.right:
        return []
    verdict = "below" if own.right < plain.right else "no better than"
    return [f"**It is {verdict} the untrained CLIP on these pictures: use zero-shot, or train it otherwise.**", ""]


def _data(facts: CardFacts) -> list[str]:
    lines = ["## Pictures", ""]
    splits = [split for split in SPLITS if sum(facts.images.get(split, {}).values())]
    if not splits:
        return [*lines, "How many pictures it was trained on is not known.", ""]
    lines += [f"| class | {' | '.join(SPLITS[split] for split in splits)} |", "|---" * (len(splits) + 1) + "|"]
    for name in facts.classes:
        cells = " | ".join(str(facts.images[split].get(name, 0)) for split in splits)
        lines.append(f"| {_text(name)} | {cells} |")
    totals = " | ".join(f"{sum(facts.images[split].values())}" for split in splits)
    return [*lines, f"| all | {totals} |", ""]


def _method(facts: CardFacts) -> list[str]:
    known = facts.method in METHODS.names()
    recipe = METHODS.get(facts.method) if known else None
    said = f"{recipe.title}: {recipe.summary}. {recipe.paper}" if recipe else f"`{facts.method}`, of an extension."
    shots = f"{facts.shots} pictures of each class at most" if facts.shots else "all training pictures"
    more = [DAPT + (f" The foreground was found by the cue `{facts.cue}`." if facts.cue else "")] if facts.dapt else []
    return ["## Method", "", said.strip(), *more, f"Trained on {shots}, seed {facts.seed}.", ""]


def _limits(facts: CardFacts) -> list[str]:
    lines = ["## Limits", ""]
    lines.append("- It answers one of its classes whatever a picture shows; it has no answer for anything else.")
    lines.append("- Expect less on pictures taken otherwise (camera, place, season) than those it was trained on.")
    if facts.test is not None and facts.test.of < SMALL:
        lines.append(f"- The test set is small ({facts.test.of}): mind the interval, not the figure.")
    least = [name for name in facts.classes if 0 < facts.images.get("train", {}).get(name, 0) < 4]
    if least:
        lines.append(f"- Learned from three training pictures or fewer: {', '.join(map(_text, least))}.")
    if facts.background:
        gap, alone = facts.background["bg_gap"], facts.background["only_bg_t"]
        lines.append(
            f"- Backgrounds count: exchanging them costs {gap:.1f} points, and {alone:.1f}% of the pictures are "
            "answered rightly by the background alone (`dapt audit`)."
        )
    else:
        lines.append("- How far it relies on backgrounds was not measured (`dapt audit` does).")
    if facts.dapt and facts.cue:
        lines.append(f"- What counted as background was decided by the cue `{facts.cue}`, which errs.")
    return [*lines, *(f"- Said of the training: `{flag}`." for flag in facts.flags), ""]


def _use(facts: CardFacts) -> list[str]:
    folder = "" if "/" in facts.name else "  # the folder of this file"
    code = (
        "import dapt\n\n"
        f"classifier = dapt.DaptClassifier.from_pretrained({facts.name!r}){folder}\n"
        'print(classifier.predict(["photo.jpg"]))\n'
        'print(classifier.predict_proba(["photo.jpg"]))'
    )
    lines = ["## Use", "", "`pip install 'dapt[probe]'`, then:", "", f"```python\n{code}\n```", ""]
    if facts.model.startswith("local-dir:") or ":/" in facts.model:
        lines += [f"The backbone `{_backbone(facts)}` is not on the hub: name yours with `model=`.", ""]
    return lines


def _backbone(facts: CardFacts) -> str:
    """The backbone without the folders of the machine that it lies on."""
    head, colon, place = facts.model.partition(":")
    return f"{head}:{place.rstrip('/').rpartition('/')[2]}" if colon and head != "hf-hub" else facts.model


def _text(name: str) -> str:
    """A name of somebody else's within Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in visible(name))
