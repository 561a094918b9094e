"""A run of which torchrun has started several processes, on one machine or on several that share the run's folder.

The first process does all that a single one does: it checks, reads, writes and speaks. The others wait for its word,
then train along. What is trained is what ``--devices N`` trains: torchrun only starts the processes.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from dapt import console
from dapt.config import RunConfig
from dapt.errors import ConfigError

WAIT = timedelta(days=1)  # for the first process: reading a large data set takes hours; torchrun ends us if it dies
MARK = "TORCHELASTIC_RUN_ID"


def processes() -> int:
    """How many processes torchrun has started of this run; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1")) if MARK in os.environ else 1


def processes_here() -> int:
    """How many of them are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if MARK in os.environ else 1


def refuse_torchrun(what: str) -> None:
    """Raise ConfigError where torchrun has started several processes of something that makes its own.

    Args:
        what: as in "dapt run".
    """
    if processes() > 1:
        raise ConfigError(
            f"torchrun has started {processes()} processes of {what}, which starts its own.",
            todo="Give the command without torchrun; devices: N in the settings uses several devices for each run.",
        )


def with_processes(config: RunConfig) -> RunConfig:
    """The configuration with as many devices as torchrun has started processes.

    Raises:
        ConfigError: it asks for another number.
    """
    if config.devices not in (1, processes()):
        raise ConfigError(
            f"--devices {config.devices} was asked for, and torchrun has started {processes()} processes.",
            todo="Leave --devices out: each process has one device.",
        )
    return config.model_copy(update={"devices": processes()})


class Group:
    """The processes of one run, joined.

    Attributes:
        fabric: of this process.
    """

    def __init__(self, kind: str) -> None:
        """Join the others.

        Args:
            kind: of device, as ``cpu``.
        """
        from lightning_fabric import Fabric
        from lightning_fabric.strategies import DDPStrategy

        here = processes_here()
        self.fabric = Fabric(
            accelerator=kind,
            devices=here,
            num_nodes=processes() // here,
            strategy=DDPStrategy(timeout=WAIT),
            precision="32-true",
        )
        self.fabric.launch()
        self._told = False
        if not self.leads:
            console.set_quiet(True)

    @property
    def leads(self) -> bool:
        """Whether this is the first process."""
        return bool(self.fabric.is_global_zero)

    def tell(self, word: Any) -> None:
        """The first process: what the others are to do, None if nothing; only the first word counts."""
        if not self._told:
            self._told = True
            self.fabric.broadcast(word, src=0)

    def hear(self) -> Any:
        """The others: wait for that word."""
        return self.fabric.broadcast(None, src=0)

    def wait(self) -> None:
        """Until all have come here."""
        self.fabric.barrier()
