"""The model of a finished run."""

from __future__ import annotations

from pathlib import Path

from dapt.clip.load import load_clip
from dapt.config import RunConfig
from dapt.data.load.settings import reading_of, use_settings
from dapt.devices import compute_exactly, pick_device
from dapt.errors import ModelError
from dapt.model.prompted_clip import PromptedClip
from dapt.model.prompts_file import load_prompts
from dapt.model.saved import rebuild_model
from dapt.runs.identity import tell_of_changed_plugins
from dapt.runs.multiplying import settle_as
from dapt.runs.run_folder import find_run


def load_run(
    run: Path | str, *, model_spec: str | None = None, device: str = "auto", precision: str | None = None
) -> tuple[PromptedClip, RunConfig]:
    """The model of a finished run with its learned prompts, and the run's configuration.

    Args:
        model_spec: its backbone; None: as the run says. precision: of the towers; None: that of the run.

    Raises:
        DaptError: no such run, a backbone that does not match the prompts, or is not where it was.
    """
    folder = find_run(run)
    config = folder.config()
    tell_of_changed_plugins(folder, config)
    use_settings(config)
    compute_exactly()
    saved = load_prompts(folder.prompts_file)
    spec = model_spec or saved.backbone["spec"]
    try:
        clip = load_clip(spec, device=pick_device(device), precision=precision or config.precision)
    except ModelError as error:
        if model_spec is not None:
            raise
        raise ModelError(
            f"The backbone of {folder.path} cannot be loaded: {error.what}",
            where=error.where,
            more=error.more,
            todo=f"Where it has moved, name its place with --model (model= in Python). {error.todo}".strip(),
        ) from error
    settle_as(folder, clip)
    return rebuild_model(saved, clip, config.dapt, reading_of(config)), config
