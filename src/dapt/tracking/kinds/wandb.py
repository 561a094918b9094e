"""Weights & Biases: offline unless somebody is logged in, see docs/tracking.md."""

from __future__ import annotations

import netrc
import os
import secrets
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

from pydantic import Field

from dapt.strict import PartOptions
from dapt.tracking.base import TRACKERS, Figures, Place, Tracked, Tracker

HOST = "https://api.wandb.ai"


class WandbOptions(PartOptions):
    """Everything else is set as everywhere with W&B: ``WANDB_DIR``, ``WANDB_ENTITY``, ``WANDB_TAGS``, ..."""

    mode: Literal["auto", "online", "offline"] = Field(
        "auto", description="auto: $WANDB_MODE, else online where there is a key, else offline."
    )
    entity: str | None = Field(None, description="Team or user; none: $WANDB_ENTITY, else the default of the key.")


@TRACKERS.register("wandb")
class WandbTracker(Tracker):
    """One run of W&B; resumed under its id."""

    package = extra = "wandb"
    options_type = WandbOptions

    def start(self, run: Tracked) -> Place:
        mode = self._mode()
        if mode != "online":
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # reports go through the network
        import wandb

        settings = wandb.Settings(silent=True, console="off", init_timeout=run.wait)
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or run.project,
            entity=self.options.entity,
            group=os.environ.get("WANDB_RUN_GROUP") or run.group,
            name=run.name,
            id=run.key or secrets.token_hex(4),
            resume="allow",
            config=dict(run.config),
            mode=mode,
            settings=settings,
        )
        if mode == "online":  # the server knows how far it came
            return Place(str(self._run.id), str(self._run.url), max(self._run.starting_step - 1, 0))
        # A killed session may leave nothing on disk, and of two with one id the later is what `wandb sync` keeps: each
        # holds the whole run.
        return Place(str(self._run.id), str(Path(self._run.dir).parent), 0)

    def log(self, figures: Figures, step: int) -> None:
        self._run.log(dict(figures), step=step)

    def finish(self, results: Figures, step: int) -> None:
        self._run.summary.update(dict(results))
        self._run.finish()

    def failed(self, error: str, *, interrupted: bool) -> None:
        self._run.summary["error"] = error
        self._run.finish(exit_code=130 if interrupted else 1)

    def _mode(self) -> Any:
        if self.options.mode != "auto":
            return self.options.mode
        return os.environ.get("WANDB_MODE") or ("online" if is_logged_in() else "offline")


def is_logged_in() -> bool:
    """Whether there is a key for the server, in the environment or in the file that ``wandb login`` writes."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL") or HOST).hostname
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False
