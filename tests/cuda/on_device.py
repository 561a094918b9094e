"""One training step of any method on any device, and how far two of them are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from contract import CALM, Case, Places, settings
from lightning_fabric import Fabric
from torch import Tensor

from dapt.clip.load import load_clip
from dapt.config import RunConfig
from dapt.data.load.loader import train_loader
from dapt.methods.base import METHODS
from dapt.runs.prepare import Prepared, prepare
from dapt.runs.run_data import load_run_data
from dapt.training.fit import Fitter

DEEPEST = 9  # of the ten layers of the bundled model
# A term such as 1 - cos is a difference of numbers of size 1, known to so many roundings however small it is itself;
# its weight magnifies them. At the start of KgCoOp it is all there is of the loss.
ROUNDINGS = 8
LOSS_SCALE = 128.0  # for one step: that of a run starts so high that the first steps are left out


@dataclass
class Step:
    """What came out of a step, on the CPU.

    Attributes:
        loss: of the batch. rounding: how far float32 alone may put it, see `ROUNDINGS`. gradients: by parameter.
    """

    loss: float
    rounding: float
    gradients: dict[str, Tensor]

    @property
    def flat(self) -> Tensor:
        """All gradients as one vector."""
        return torch.cat([value.flatten() for _, value in sorted(self.gradients.items())])


def settings_on(case: Case, places: Places, device: str, **changes: Any) -> RunConfig:
    """The run of a case on the bundled model, with as many layers of prompts as the method has itself."""
    options = METHODS.get(case.method).options
    deep: dict[str, Any] = {}
    if "depth" in options.model_fields:
        own = options.model_validate(dict(METHODS.get(case.method).preset)).depth
        deep = {"depth": min(own, DEEPEST)}
    prompt = {**deep, **CALM.get(case.family, {}), **changes.pop("prompt", {})}
    return settings(case, places, **{"model": "demo", "device": device, "prompt": prompt, **changes})


def prepared_on(case: Case, places: Places, device: str, **changes: Any) -> tuple[RunConfig, Prepared]:
    """A run that is ready to start."""
    config = settings_on(case, places, device, **changes)
    clip = load_clip(config.model, device=device, precision=config.precision)
    return config, prepare(config, load_run_data(config), clip)


def one_step(case: Case, places: Places, device: str, **changes: Any) -> Step:
    """The first step of a run."""
    config, prepared = prepared_on(case, places, device, **changes)
    kind = torch.device(device)
    fabric = Fabric(accelerator=kind.type, devices=1 if kind.index is None else [kind.index], precision="32-true")
    fitter = Fitter(config, prepared.step, prepared.images, prepared.cue, fabric)
    fitter.scaler = torch.amp.GradScaler(kind.type, init_scale=LOSS_SCALE, enabled=config.precision == "16")
    found: dict[str, Tensor] = {}
    weights: list[float] = []
    prepared.step.register_forward_hook(
        lambda module, given, came: weights.extend(abs(term.weight) for term in came[1].values())
    )

    def keep(*_: object) -> None:
        for name, parameter in prepared.step.named_parameters():
            if parameter.grad is not None:
                assert parameter.grad.dtype == torch.float32
                found[name] = parameter.grad.detach().cpu().double()

    fitter.optimizer.register_step_pre_hook(keep)
    batches = [list(range(config.batch_size))]
    (batch,) = train_loader(prepared.images, batches, epoch=0, workers=0, device=fitter.device)
    assert batch.pixels.device.type == kind.type
    prepared.step.train()
    loss = float(fitter._step(batch, 0, 0)["loss"])
    assert found, "the step was left out"
    return Step(loss, ROUNDINGS * torch.finfo(torch.float32).eps * sum(weights), found)


def apart(found: Tensor, expected: Tensor) -> float:
    """Length of the difference relative to that of what was expected."""
    found, expected = found.detach().cpu().double(), expected.detach().cpu().double()
    return float((found - expected).norm() / expected.norm().clamp_min(1e-30))
