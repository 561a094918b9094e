"""Settings of training that were given and change nothing in a run."""

from __future__ import annotations

from dapt.config import RunConfig
from dapt.wording import listing

OF_METHOD = ("lr", "batch_size", "optimizer", "adam_eps", "weight_decay", "warmup_epochs")  # it has values of its own
OF_RUNS = ("lr_rule", "momentum", "warmup_lr", "schedule", "stop_margin", "stop_share", "drop_last")


def idle_settings(config: RunConfig) -> str | None:
    """One sentence that names the settings of training that cannot act; None if there are none.

    Random views, of which closed forms are made, follow crop_scale and flip and are encoded by eval_batch_size, so
    without training steps none of these settings is read. One with the method's own value is not told: it is not known
    whether it was given. `RunConfig.given_epochs` are known.
    """
    if not config.recipe.trains:
        named = _changed(config)
        if not named:
            return None
        verb = "changes" if len(named) == 1 else "change"
        return f"{listing(named)} {verb} nothing: {config.method} has no training steps."
    if config.stop_margin is None and config.stop_share != RunConfig.model_fields["stop_share"].default:
        return "stop_share changes nothing without stop_margin: all epochs are trained."
    return None


def _changed(config: RunConfig) -> list[str]:
    """The settings of training with other values than where they are left out."""
    own = config.recipe.training
    found = ["epochs"] if config.given_epochs else []
    found += [key for key in OF_METHOD if getattr(config, key) != getattr(own, key) and not _follows(config, key)]
    return found + [key for key in OF_RUNS if getattr(config, key) != RunConfig.model_fields[key].default]


def _follows(config: RunConfig, key: str) -> bool:
    """Whether another setting has changed this one: one_cycle has no warm-up beside, adam_eps is that of Adam."""
    if key == "warmup_epochs":
        return config.schedule == "one_cycle"
    return key == "adam_eps" and config.adam_eps is None
