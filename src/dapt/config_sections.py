"""The sections of the configuration of a run, but for DAPT's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from dapt.strict import Count, Rate, Strict, check_value


class Section(Strict):
    """A part of the configuration; what all of them refuse stands in `dapt.strict`."""


class OpenSection(Section):
    """A section that takes further keys; one that is None leaves an option as it is, as it does everywhere."""

    model_config = ConfigDict(extra="allow")

    @property
    def further(self) -> dict[str, Any]:
        """The further keys, as given."""
        return dict(self.model_extra or {})

    @model_validator(mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        return {key: part for key, part in value.items() if part is not None} if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _bounded_further(self) -> OpenSection:
        check_value(self.further)
        return self


class CueSettings(OpenSection):
    """Where the foreground masks come from. Further keys are options of that source, see `dapt.cues`."""

    source: str = Field("auto", description="Name of a cue; auto: masks if there are any, else border.")
    refresh: Count = Field(
        1, ge=0, description="Cues that follow the prompts are made anew every so many epochs; 0: only at the start."
    )

    @property
    def options(self) -> dict[str, Any]:
        """The options of the source, as given."""
        return self.further


class SelectionOptions(Section):
    """How a fraction of the training images is chosen (data-efficient learning); see `dapt.selection`."""

    balanced: bool = Field(True, description="The fraction of every class; false: of all images together.")
    legacy: bool = Field(False, description="Repeat the released code where its direction or scores differ.")
    epochs: Count | None = Field(
        None, ge=0, description="Training before the selection, thrown away afterwards; none: what the method needs."
    )
    lr: Rate = Field(0.0035, gt=0, description="Learning rate of that training.")
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the selection method.")


class TrackOptions(OpenSection):
    """How trackers follow the run. Further keys are sections with the options of one each, as ``wandb.mode``."""

    project: str = Field("dapt", min_length=1, description="Under which trackers file the run.")
    group: str | None = Field(None, description="Of runs that belong together; none: the experiment or protocol.")
    wait: float = Field(30.0, ge=0, le=3600, description="Seconds to wait for a tracker at the start and at the end.")

    @property
    def of_trackers(self) -> dict[str, Any]:
        """The sections of single trackers, as given."""
        return self.further
