"""The models of an audit: finished runs, saved models, and backbones by name, which classify zero-shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.clip.load import load_clip
from dapt.config import RunConfig, make_config
from dapt.console import warn
from dapt.data.load.settings import reading_of
from dapt.devices import compute_exactly, pick_device
from dapt.errors import ConfigError, did_you_mean
from dapt.model.build import build_model
from dapt.model.pretrained import open_pretrained
from dapt.model.prompted_clip import PromptedClip
from dapt.model.saved import CONFIG
from dapt.paths import resolved, with_home
from dapt.results import RunResults
from dapt.runs.load_run import load_run
from dapt.runs.run_folder import RunFolder, read_results

PREFIXES = ("local-dir:", "hf-hub:")
DEMO = "demo"


@dataclass
class AuditedModel:
    """One of the models.

    Attributes:
        given: as the user named it. name: short, and unlike those of the others. model: None of a backbone whose
            classes are not known yet. run, config: of a finished run.
    """

    given: str
    name: str
    model: PromptedClip | None = None
    run: RunFolder | None = None
    config: RunConfig | None = None

    @property
    def zero_shot(self) -> bool:
        """Whether it is a backbone, asked as it is."""
        return self.run is None and self.model is None

    @property
    def ready(self) -> PromptedClip:
        """The model.

        Raises:
            AssertionError: a backbone has no classes yet.
        """
        assert self.model is not None
        return self.model

    @property
    def results(self) -> RunResults | None:
        """results.json of a finished run."""
        return None if self.run is None else read_results(self.run)

    def about(self) -> dict[str, Any]:
        """What the record says of it."""
        made = self.ready.made_with
        return {
            "given": self.given,
            "run": None if self.run is None else str(self.run.path),
            "method": made.method,
            "dapt": made.dapt.enabled,
            "backbone": self.ready.clip.spec,
        }


def open_models(given: Sequence[str], *, device: str = "auto") -> list[AuditedModel]:
    """Open runs and saved models; backbones are opened by `with_names`, when the classes are known.

    Raises:
        ConfigError: something is neither, or is named twice. DaptError: a run is not finished, or is damaged.
    """
    _refuse_twice(given)
    names = _names(given)
    found = [_open(text, name, device) for text, name in zip(given, names, strict=True)]
    readings = {reading_of(each.config) for each in found if each.config is not None}
    if len(readings) > 1:
        warn(
            "The runs were trained with images read in different ways (matte, bits); here all are read as for the last."
        )
    return found


def with_names(model: AuditedModel, names: Sequence[str], data: str, device: str) -> None:
    """Let a model choose among these classes; a backbone is loaded for them, with the template of the data.

    Raises:
        ModelError: there is no such backbone. NotSupportedError, DataError: the model cannot name these classes.
    """
    if model.model is not None:
        model.model = model.model.eval().with_classes(names)
        return
    compute_exactly()
    config = make_config({"data": data, "method": "zero_shot", "model": model.given})
    clip = load_clip(model.given, device=pick_device(device))
    model.model = build_model(config, clip, list(names)).eval()


def _open(text: str, name: str, device: str) -> AuditedModel:
    path = Path(with_home(text))
    if path.suffix == ".safetensors" or (path.is_dir() and not (path / CONFIG).is_file()):
        return AuditedModel(text, name, open_pretrained(path, device=device))
    if path.exists():
        model, config = load_run(path, device=device)
        return AuditedModel(text, name, model, RunFolder(path), config)
    if is_backbone(text):
        return AuditedModel(text, name)
    parent = path.parent
    beside = [other.name for other in parent.iterdir() if other.is_dir()] if parent.is_dir() else []
    raise ConfigError(
        f"'{text}' is no folder of a run or of a saved model, and no backbone.",
        todo=did_you_mean(path.name, [*beside, DEMO])
        or "Name runs, and backbones as for --model: demo, ViT-B-16/openai, local-dir:PATH.",
    )


def is_backbone(text: str) -> bool:
    """Whether a text names a backbone, as `dapt.clip.load.load_clip` takes it; nothing is loaded."""
    if text == DEMO or text.startswith(PREFIXES):
        return True
    head = text.partition(":" if ":" in text else "/")[0]
    if head == text:
        return False
    import open_clip

    return head in open_clip.list_models()


def _refuse_twice(given: Sequence[str]) -> None:
    """Refuse a model that is named twice: it would be compared with itself.

    Raises:
        ConfigError: naming it.
    """
    seen: dict[str, str] = {}
    for text in given:
        path = Path(with_home(text))
        key = str(resolved(path)) if path.exists() else text
        if key in seen:
            raise ConfigError(
                f"{text} is named twice{'' if seen[key] == text else f' (as {seen[key]}, too)'}.",
                todo="Name each model once.",
            )
        seen[key] = text


def _names(given: Sequence[str]) -> list[str]:
    """Short names: the ends of paths, as long as it takes to tell them apart; backbones are said to be zero-shot."""
    plain = [_plain(text) for text in given]
    names = list(given)
    for place, (text, path) in enumerate(zip(given, plain, strict=True)):
        for length in range(1, len(path.parts) + 1):
            end = path.parts[-length:]
            if sum(other.parts[-length:] == end for other in plain) == 1:
                names[place] = "/".join(end)
                break
        if is_backbone(text) and not Path(with_home(text)).exists():
            names[place] = f"zero-shot {names[place]}"
    return names


def _plain(text: str) -> Path:
    for prefix in PREFIXES:
        text = text.removeprefix(prefix)
    return Path(text)
