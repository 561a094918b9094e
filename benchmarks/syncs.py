"""How often a training step makes the host wait for the GPU, for every method that is trained, alone and with DAPT.

The step is that of a run, with everything the training loop looks at, on the bundled model.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from benchmarks.cases import Case, make_batch
from dapt.clip.load import load_clip
from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.errors import DaptError
from dapt.methods.base import METHODS
from dapt.model.build import build_model
from dapt.objectives.build import build_objectives
from dapt.training.fit import Fitter
from dapt.training.step import TrainStep

NAMES = ["apple", "boat", "car", "dog"]
WARM_UP, COUNTED = 6, 5  # the first steps are recorded as a graph
DEEPEST = 9  # of the ten layers of the bundled model
ROOT = Path(__file__).parent.parent


def measure_syncs(device: str, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per method, alone and with DAPT: waits per step, and which lines of code they come from."""
    rows = []
    for name in METHODS.names():
        for dapt in (False, True) if METHODS.get(name).trains else ():
            title = f"{name}{' + DAPT' if dapt else ''}"
            tell(f"waits of {title}")
            try:
                fitter, batch = make_fitter(name, device, dapt=dapt)
            except DaptError as refusal:  # it needs more than its options
                rows.append({"method": title, "failed": str(refusal).splitlines()[0]})
                continue
            step = partial(fitter._step, batch, 0)
            for number in range(WARM_UP):
                step(number)
            found = waits(lambda step=step: [step(WARM_UP + number) for number in range(COUNTED)])
            places = {place: count / COUNTED for place, count in found.most_common()}
            row = {"method": title, "waits": sum(found.values()) / COUNTED, "places": places}
            rows.append({**row, "recorded": fitter.graph is not None and fitter.graph.recorded})
    return rows


def make_fitter(name: str, device: str, *, dapt: bool, cuda_graph: str = "auto") -> tuple[Fitter, Batch]:
    """The training of a run, and a batch for its steps."""
    tree = {"data": "none", "method": name, "dapt": {"enabled": dapt, "variant": "joint"}, "seed": 1}
    tree["cuda_graph"] = cuda_graph
    own = METHODS.get(name).options.model_validate(dict(METHODS.get(name).preset))
    if hasattr(own, "depth"):
        tree["prompt"] = {"depth": min(own.depth, DEEPEST)}
    config = make_config(tree)
    clip = load_clip("demo", device=device)
    model = build_model(config, clip, NAMES)
    batch = make_batch(Case("", name, len(NAMES)), clip)
    model.prepare([batch])
    fabric = Fabric(accelerator=torch.device(device).type, devices=1, precision="32-true")
    step = TrainStep(model, build_objectives(config, model))
    step.train()
    return Fitter(config, step, None, None, fabric), batch  # type: ignore[arg-type]


def waits(function: Callable[[], Any]) -> Counter[str]:
    """How often `function` waits for the GPU, by the line of code that does."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            function()
        finally:
            torch.cuda.set_sync_debug_mode(before)
    return Counter(_place(one) for one in heard if "called a synchronizing" in str(one.message))


def _place(warning: warnings.WarningMessage) -> str:
    path = Path(warning.filename)
    inside = path.is_relative_to(ROOT)
    return f"{path.relative_to(ROOT) if inside else '/'.join(path.parts[-2:])}:{warning.lineno}"
