"""What `test_contract` puts every registered method through: the cases, and training one a little.

A new method needs nothing here, unless it cannot be built from its options alone (`NEEDS`), draws at random while it
trains (`CALM`), or has a parameter whose gradient is zero for a reason (`NO_GRADIENT`).
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from safetensors.torch import save_file
from torch import Tensor

import dapt.runs.load_inputs
import dapt.runs.train
from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.config import RunConfig, make_config
from dapt.console import set_quiet
from dapt.errors import NotSupportedError
from dapt.methods.base import METHODS
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.prepare import Prepared, prepare
from dapt.runs.run_data import load_run_data
from dapt.training.fit import Fitter
from helpers import make_csv, save_tiny_model

NATIVE, SIGLIP = "native", "siglip"

# The teacher's sizes differ from the student's in every respect.
TEACHER = {
    "embed_dim": 48,
    "vision_cfg": {"image_size": 40, "layers": 3, "width": 32, "head_width": 16, "patch_size": 8},
}
# A timm ViT with attention pooling, a text tower without causal mask that is read at its last position, and a bias.
SIGLIP_LIKE = {
    "embed_dim": 64,
    "init_logit_bias": -3.0,
    "vision_cfg": {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none"},
    "text_cfg": {
        **{"context_length": 32, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 4},
        **{"no_causal_mask": True, "proj_bias": True, "pool_type": "last"},
    },
}


@dataclass(frozen=True)
class Places:
    """What is on disk: models by tower, the teacher's prompts, data of four classes and of one."""

    models: dict[str, str]
    teacher: Path
    table: Path
    one_class: Path


def make_places(root: Path) -> Places:
    """Write everything below `root`; the teacher is trained for one step."""
    models = {NATIVE: save_tiny_model(root / NATIVE), SIGLIP: save_siglip_like(root / SIGLIP)}
    table = make_csv(root / "table", per_class=4)
    places = Places(models, root / "teacher", table, make_csv(root / "one-class", per_class=4, classes=1))
    teacher = {
        **{"data": str(table), "model": save_tiny_model(root / "wide", seed=5, **TEACHER), "method": "ivlp"},
        **{"depth": 2, "shots": 1, "epochs": 1, "device": "cpu", "out": str(places.teacher)},
    }
    dapt.runs.train.run_training(make_config(teacher))
    return places


def save_siglip_like(folder: Path) -> str:
    """Write the SigLIP-like model in open_clip's folder format; returns its specification."""
    folder.mkdir(parents=True)
    torch.manual_seed(3)
    model = open_clip.model.CustomTextCLIP(**SIGLIP_LIKE)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    config = {"model_cfg": {**SIGLIP_LIKE, "custom_text": True}, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(weights, str(folder / "open_clip_model.safetensors"))
    return f"local-dir:{folder}"


# Options without which a family of methods cannot be built. Families that are not named need nothing.
NEEDS: dict[str, Callable[[Places], dict[str, Any]]] = {"promptkd": lambda places: {"teacher": str(places.teacher)}}

# Options that switch off what is drawn at random in each process of a data-parallel run.
CALM: dict[str, dict[str, Any]] = {"clip_lora": {"dropout": 0.0}}

# Parameters whose gradient is zero but for rounding.
NO_GRADIENT: dict[str, set[str]] = {"promptkd": {"student_proj.conv_in.bias"}}  # a batch norm follows

# Families that refuse data of a single class.
NEEDS_TWO_CLASSES = {"linear_probe"}

# Presets that change weights and schedules, not what is built: such variants are built, and trained as their parent.
FIGURES = {"strength", "kd_weight", "gpa_mean", "gpa_std"}


@dataclass(frozen=True)
class Case:
    """One method on one backbone, alone or with DAPT."""

    method: str
    tower: str = NATIVE
    dapt: bool = False

    def __str__(self) -> str:
        return f"{self.method}{'+dapt' if self.dapt else ''}-{self.tower}"

    @property
    def family(self) -> str:
        """The name without its variant."""
        return self.method.partition(".")[0]

    @property
    def trains(self) -> bool:
        """Whether there are training steps."""
        return METHODS.get(self.method).trains


def small_depth(name: str) -> dict[str, int]:
    """`depth` for towers of few layers, where the method has such an option."""
    method = METHODS.get(name)
    if "depth" not in method.options.model_fields:
        return {}
    own = method.options.model_validate(dict(method.preset)).depth
    return {"depth": min(own, 2)}


def structure(name: str) -> tuple[object, ...]:
    """What tells a method from those that are built and trained in the same way."""
    method = METHODS.get(name)
    preset = {**method.preset, **small_depth(name)}
    changed = sorted((key, repr(value)) for key, value in preset.items() if key not in FIGURES)
    return method.architecture, method.objectives, method.options.__name__, method.trains, tuple(changed)


def one_of_each(key: Callable[[str], object]) -> list[str]:
    """The first method, by length of name, for each value of `key`."""
    found: dict[object, str] = {}
    for name in sorted(METHODS.names(), key=lambda name: (len(name), name)):
        found.setdefault(key(name), name)
    return sorted(found.values())


def cases(names: list[str], *towers: str) -> list[Case]:
    """Each of `names` on each of `towers`, alone and, where it can be, with DAPT."""
    return [
        Case(name, tower, dapt)
        for name in names
        for tower in towers
        for dapt in (False, True)
        if METHODS.get(name).trains or not dapt
    ]


def settings(case: Case, places: Places, **changes: Any) -> RunConfig:
    """A run of four steps: 8 images, 2 epochs, batches of 4; `changes` are put over it."""
    prompt = {**NEEDS.get(case.family, lambda _: {})(places), **small_depth(case.method), **changes.pop("prompt", {})}
    return make_config(
        {
            **{"data": str(places.table), "model": places.models[case.tower], "method": case.method, "prompt": prompt},
            **{"dapt": {"enabled": case.dapt, "variant": "joint"}, "crop_scale": (0.7, 1.0), "device": "cpu"},
            **{"shots": 2, "epochs": 2, "warmup_epochs": 0, "batch_size": 4},
            **changes,
        }
    )


clip_of = cache(load_clip)


@contextmanager
def shared_clips() -> Iterator[None]:
    """Runs in here share their backbones, which is quicker and shows whether one of them is changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dapt.runs.load_inputs, "load_clip", clip_of)
        yield


@contextmanager
def where_supported(case: Case) -> Iterator[None]:
    """Skip what a method refuses on a backbone that is not open_clip's own."""
    try:
        yield
    except NotSupportedError as refusal:
        if case.tower == NATIVE:
            raise
        pytest.skip(f"{case.method} refuses this backbone: {refusal}")


@dataclass
class Trained:
    """A method after its training, and what was seen on the way.

    Attributes:
        start: its tensors before. gradients: by parameter, the largest entry in any step.
        backbone: weights before. steps: of the optimiser. lines: metrics of the epochs.
    """

    case: Case
    config: RunConfig
    prepared: Prepared
    start: dict[str, Tensor]
    backbone: dict[str, Tensor]
    gradients: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def model(self) -> PromptedClip:
        """The prompted model."""
        return self.prepared.model

    def pixels(self, count: int = 3) -> Tensor:
        """Images ``[count, 3, H, W]`` of noise."""
        size = self.model.clip.image.image_size
        return torch.randn(count, 3, *size, generator=torch.Generator().manual_seed(7))


def train(case: Case, places: Places, **changes: Any) -> Trained:
    """Train as a run does, without its folder."""
    config = settings(case, places, **changes)
    data = load_run_data(config)
    with shared_clips(), where_supported(case):
        clip = clip_of(config.model, device="cpu", precision=config.precision)
        backbone = state_of(clip)
        prepared = prepare(config, data, clip)
    trained = Trained(case, config, prepared, copied(prepared.model.prompts.state_dict()), backbone)
    if config.epochs:
        fit(Fabric(accelerator="cpu", devices=1, precision="32-true"), trained)
    trained.model.set_classes(data.train.names)
    return trained


def fit(fabric: Any, trained: Trained) -> None:
    """All epochs, keeping an eye on the gradients."""
    prepared = trained.prepared
    fitter = Fitter(trained.config, prepared.step, prepared.images, prepared.cue, fabric)

    def look(*_: object) -> None:
        trained.steps += 1
        for name, parameter in prepared.model.prompts.named_parameters():
            if parameter.grad is not None:
                largest = float(parameter.grad.abs().max())
                trained.gradients[name] = max(largest, trained.gradients.get(name, 0.0))

    fitter.optimizer.register_step_pre_hook(look)
    trained.lines = fitter.fit().lines


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same values, which do not change any more."""
    return {name: value.detach().clone() for name, value in tensors.items()}


def state_of(clip: FrozenClip) -> dict[str, Tensor]:
    """A copy of the weights of a backbone."""
    return copied(clip.model.state_dict())


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    """Whether both hold the same tensors, bit by bit."""
    return list(left) == list(right) and all(torch.equal(left[name], right[name]) for name in left)


def train_on_two_processes(places: Places, jobs: list[Case], out: Path) -> None:
    """Train each case on two processes that are started once; writes its tensors, or what went wrong, to `out`."""
    strategy = DDPStrategy(start_method="spawn", timeout=timedelta(seconds=60))
    fabric = Fabric(accelerator="cpu", devices=2, strategy=strategy, precision="32-true")
    fabric.launch(partial(_one_of_two, places=places, jobs=jobs, out=str(out)))


def _one_of_two(fabric: Any, places: Places, jobs: list[Case], out: str) -> None:
    set_quiet(True)
    for case in jobs:
        path = Path(out) / case.method
        try:
            config = settings(case, places, **comparable(case))
            clip = load_clip(config.model, device="cpu", precision=config.precision)
            trained = Trained(case, config, prepare(config, load_run_data(config), clip), {}, {})
            fit(fabric, trained)
        except Exception:
            path.with_name(f"{path.name}.error{fabric.global_rank}").write_text(traceback.format_exc())
            continue
        if fabric.is_global_zero:
            save_file(copied(dict(trained.model.prompts.state_dict())), str(path))


def comparable(case: Case) -> dict[str, Any]:
    """Settings under which the number of processes makes no difference but rounding.

    SGD, because AdamW divides a gradient that is nothing but rounding by its own size.
    """
    return {"prompt": CALM.get(case.family, {}), "optimizer": "sgd", "lr": 0.002}
