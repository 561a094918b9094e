"""What can be refused about a run before anything is read: its settings, devices and folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from dapt.config import RunConfig
from dapt.cues.build import check_cue
from dapt.data.items import ImageSet
from dapt.data.resolve import is_catalog
from dapt.devices import pick_device
from dapt.errors import ConfigError
from dapt.objectives.build import check_dapt
from dapt.outputs import check_apart
from dapt.runs.absolute_paths import with_absolute_paths
from dapt.runs.apart import advice, named_inputs
from dapt.runs.class_weights import check_class_weights
from dapt.runs.division import check_keeps
from dapt.runs.run_folder import RunFolder
from dapt.runs.run_names import default_folder
from dapt.runs.selecting import check_selection
from dapt.runs.torchrun import processes, processes_here
from dapt.selection.base import Selector
from dapt.split_rule import usual_rule
from dapt.tracking.check import trackers_of
from dapt.training.optimizer import check_optimizer


@dataclass(frozen=True)
class Plan:
    """A run that may go ahead as far as its settings tell.

    Attributes:
        config: with absolute paths. folder: its run folder, not touched yet. device: where it computes.
        selector: chooses its training images, or None. resume, overwrite: what to do with an existing run.
        validation_only: the test images are not looked at. baselines: what takes no training is found beside it.
        images: of the run; None: those that the configuration names.
    """

    config: RunConfig
    folder: RunFolder
    device: str
    selector: Selector | None
    resume: bool
    overwrite: bool
    validation_only: bool = False
    baselines: bool = False
    images: ImageSet | None = None

    @property
    def goes_on(self) -> bool:
        """Whether an interrupted run goes on."""
        return self.resume and self.folder.started


def check_run(config: RunConfig, *, resume: bool, overwrite: bool, within: Path | None = None) -> Plan:
    """Look at the settings and the folder of a run; nothing is read but that folder, nothing is changed.

    Args:
        config: resolved configuration. within: folder of a group of runs, which is not made.

    Raises:
        DaptError: anything the user can mend.
    """
    config, device, selector = check_settings(config)
    folder = RunFolder(Path(config.out) if config.out else default_folder(config), within)
    check_apart(folder.path, named_inputs(config), todo=advice(config))
    folder.check(config, resume=resume, overwrite=overwrite)
    if resume and folder.started:
        config = folder.going_on(config)
    elif config.split_rule is None and not is_catalog(config.data):
        config = config.model_copy(update={"split_rule": usual_rule()})
    return Plan(config, folder, device, selector, resume, overwrite)


def check_settings(config: RunConfig, *, here: bool = True) -> tuple[RunConfig, str, Selector | None]:
    """The part of `check_run` that looks at nothing but the settings.

    Args:
        here: it is this machine that carries the run out, so that it has to have the device.

    Returns:
        the configuration with absolute paths, the device, and what selects training images.

    Raises:
        DaptError: settings that contradict each other, or a device that is not there.
    """
    config = check_cue(with_absolute_paths(config))
    if config.batch_size % config.devices:
        raise ConfigError(
            f"A batch of {config.batch_size} images cannot be divided among {config.devices} devices.",
            todo="Choose a --batch-size that --devices divides.",
        )
    device = pick_device(config.device) if here else config.device
    if here:
        config.recipe.check_packages()
        check_optimizer(config.optimizer)
        check_count(processes_here() if processes() > 1 else config.devices, device)
    check_dapt(config)
    check_keeps(config)
    check_class_weights(config)
    trackers_of(config)
    return config, device, check_selection(config)


def check_count(devices: int, device: str) -> None:
    """Refuse more processes than there are devices of a kind; the CPU takes any number.

    Args:
        device: see `pick_device`.

    Raises:
        ConfigError: naming both numbers.
    """
    kind = torch.device(device).type
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(kind)
    if devices > 1 and there is not None and devices > there:
        raise ConfigError(
            f"{devices} devices were asked for, this machine has {there} of the kind {kind}.",
            todo=f"Use --devices {there}.",
        )
