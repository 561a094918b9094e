"""What is measured: training steps of ViT-B/16, by method, number of classes and phase of DAPT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import open_clip
import torch
from lightning_fabric import Fabric
from torch import Tensor

from benchmarks.plain import Phase, PlainStep
from dapt.clip.frozen import FrozenClip
from dapt.clip.random_model import random_clip
from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.model.build import build_model
from dapt.objectives.build import build_objectives
from dapt.training.fit import Fitter
from dapt.training.step import TrainStep
from dapt.training.tally import Tally

ARCHITECTURE = "ViT-B-16-quickgelu"
EPOCHS = 10
Way = Literal["ours", "plain"]


@dataclass(frozen=True)
class Case:
    """One training step.

    Attributes:
        phase: which DAPT terms are active; empty: the method alone.
        time_goal, memory_goal: greatest ratio to the plain way that is aimed at.
        memory_goal_mb: greatest peak memory that is aimed at, where the plain way does not fit.
        published_gflop: matrix work of the published code per step, without fused attention.
    """

    name: str
    method: str
    classes: int
    phase: Phase = ""
    batch: int = 4
    time_goal: float | None = None
    memory_goal: float | None = None
    memory_goal_mb: float | None = None
    published_gflop: float | None = None

    @property
    def epoch(self) -> int:
        """An epoch of the phase, of `EPOCHS`."""
        return EPOCHS - 1 if self.phase == "L_f+L_b" else 0

    @property
    def title(self) -> str:
        """For tables."""
        dapt = f" + DAPT, {self.phase}" if self.phase else ""
        method = {"maple": "MaPLe", "coop": "CoOp"}.get(self.method, self.method)
        return f"{method}{dapt}, {self.classes} classes"


CASES = (
    Case("maple-37", "maple", 37, time_goal=0.37, memory_goal=0.5, published_gflop=702),
    Case("maple-100", "maple", 100, time_goal=0.25, memory_goal=0.35, published_gflop=1434),
    Case("dapt-lv-37", "maple", 37, "L_v", time_goal=0.30, memory_goal=0.35, published_gflop=1405),
    Case("dapt-lf-lb-37", "maple", 37, "L_f+L_b", time_goal=0.38, memory_goal=0.4, published_gflop=1552),
    Case("dapt-lv-100", "maple", 100, "L_v", time_goal=0.22, memory_goal=0.3, published_gflop=2166),
    Case("dapt-lf-lb-100", "maple", 100, "L_f+L_b", published_gflop=2312),
    Case("coop-1000", "coop", 1000, time_goal=0.09, memory_goal_mb=4096),
)


def case_named(name: str) -> Case:
    """The case of that name.

    Raises:
        KeyError: there is none.
    """
    return {case.name: case for case in CASES}[name]


def chosen_cases(
    names: Sequence[str] | None = None, classes: Sequence[int] | None = None, batches: Sequence[int] | None = None
) -> list[Case]:
    """Those of `CASES`, or, with `classes`, MaPLe alone and in both phases of DAPT for each number of them.

    Args:
        names: those of these names. batches: each with so many images; what differs from `CASES` has no goals.

    Raises:
        KeyError: there is none of that name.
    """
    found = list(CASES)
    if classes:
        known = {case.name: case for case in CASES}
        kinds: tuple[tuple[str, Phase], ...] = (("maple", ""), ("dapt-lv", "L_v"), ("dapt-lf-lb", "L_f+L_b"))
        found = [
            known.get(f"{kind}-{count}", Case(f"{kind}-{count}", "maple", count, phase))
            for count in classes
            for kind, phase in kinds
        ]
        found += [case for case in CASES if case.method != "maple" and case.classes in classes]
    if names:
        known = {case.name: case for case in found}
        found = [known[name] for name in names]
    return [
        case if batch == case.batch else without_goals(case, batch=batch) for case in found for batch in batches or (4,)
    ]


def make_clip(device: str = "cpu", precision: str = "32") -> FrozenClip:
    """ViT-B/16 with random weights: speed does not depend on their values, and nothing is downloaded.

    Args:
        precision: of the towers; ``tf32`` is float32 whose products are rounded, which is a setting of the process.
    """
    rounded = precision == "tf32"
    torch.set_float32_matmul_precision("high" if rounded else "highest")
    torch.backends.cudnn.allow_tf32 = rounded
    return random_clip(ARCHITECTURE, device=device, precision="32" if rounded else precision)


def class_names(count: int) -> list[str]:
    """The first `count` ImageNet class names."""
    return list(open_clip.IMAGENET_CLASSNAMES[:count])


def make_batch(case: Case, clip: FrozenClip) -> Batch:
    """Random pixels, labels and masks."""
    generator = torch.Generator().manual_seed(1)
    height, width = clip.image.image_size
    pixels = torch.randn(case.batch, 3, height, width, generator=generator)
    masks = (torch.rand(case.batch, 1, height // 16, width // 16, generator=generator) > 0.6).float()
    masks = torch.nn.functional.interpolate(masks, size=(height, width))
    labels = torch.arange(case.batch) % case.classes
    usable = torch.ones(case.batch, dtype=torch.bool)
    parts = (part.to(clip.device) for part in (pixels, labels, masks, usable))
    return Batch(*parts)


@dataclass
class Work:
    """A case that is ready to run.

    Attributes:
        run: one optimiser step; returns the loss. gradients: of the prompts after the last `run`.
    """

    run: Callable[[], Tensor]
    step: TrainStep

    def gradients(self) -> dict[str, Tensor]:
        """Copies of the gradients of all prompts."""
        named = self.step.named_parameters()
        return {name: value.grad.detach().clone() for name, value in named if value.grad is not None}


def make_work(case: Case, clip: FrozenClip, way: Way, *, foreach: bool | None = None) -> Work:
    """Prompts, batch and optimiser of a case, the same for both ways.

    Args:
        foreach: whether the optimiser works on lists of tensors; None: as torch chooses for the device.
    """
    config = make_config({"data": "none", "method": case.method, "dapt": dapt_of(case), "seed": 1})
    model = build_model(config, clip, class_names(case.classes))
    step = TrainStep(model, build_objectives(config, model))
    batch = make_batch(case, clip)
    plain = PlainStep(model, config.dapt, case.phase) if way == "plain" else None
    # a learning rate of 0 keeps the prompts where they are, so that every step does the same
    optimizer = torch.optim.SGD(step.parameters(), lr=0.0, momentum=0.9, weight_decay=5e-4, foreach=foreach)

    def run() -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = step(batch, case.epoch, EPOCHS)[0] if plain is None else plain(batch)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Work(run, step)


def make_training(case: Case, clip: FrozenClip, precision: str, cuda_graph: str) -> Callable[[], None]:
    """The step of a run, called again and again: with everything that the training loop does for it but loading images.

    Args:
        cuda_graph: as in the configuration of a run.
    """
    tree: dict[str, Any] = {"data": "none", "method": case.method, "dapt": dapt_of(case), "seed": 1}
    tree |= {"epochs": EPOCHS, "cuda_graph": cuda_graph, "precision": "32" if precision == "tf32" else precision}
    config = make_config(tree)
    model = build_model(config, clip, class_names(case.classes))
    step = TrainStep(model, build_objectives(config, model)).train()
    fabric = Fabric(accelerator=clip.device.type, devices=1, precision="32-true")
    fitter = Fitter(config, step, None, None, fabric)  # type: ignore[arg-type]
    for group in fitter.optimizer.param_groups:
        group["lr"] = 0.0  # the prompts stay where they are
    batch = make_batch(case, clip)
    tally = Tally(lambda loss, figures, number: fitter._check(loss, figures, case.epoch, number), fitter.check_every)

    def run() -> None:
        tally.add(fitter._step(batch, case.epoch, 0), case.batch)

    return run


def smaller(case: Case, classes: int) -> Case:
    """The case with another number of classes and without goals."""
    return without_goals(case, name=f"{case.name}@{classes}", classes=classes)


def without_goals(case: Case, **changes: Any) -> Case:
    """The case with `changes`, for which its goals and published figures do not hold."""
    return replace(case, **changes, time_goal=None, memory_goal=None, memory_goal_mb=None, published_gflop=None)


def dapt_of(case: Case) -> dict[str, Any]:
    """The DAPT section of a case: the released settings, which the plain way computes as well."""
    return {"enabled": bool(case.phase), "variant": "released"}
