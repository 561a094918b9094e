"""The cue of a run, and its options, from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dapt.config import RunConfig
from dapt.console import warn
from dapt.cues.base import CUES, Cue, CueContext
from dapt.cues.model_cue import ModelCue
from dapt.cues.model_place import LOCAL, is_local, local_path
from dapt.data.items import ImageSet
from dapt.data.load.image_cache import ImageCache
from dapt.data.masks.mask_files import mask_folder
from dapt.errors import ConfigError, closest
from dapt.paths import with_home
from dapt.strict import Names, PartOptions
from dapt.validation import brief, validated
from dapt.wording import listing

AUTO = "auto"
PROMPT_OPTIONS = "prompt_options"  # of a cue that asks another one first
FREE = "border"  # the best of the cues that need no files, by measurement: docs/cues.md


def cue_type(source: str) -> type[Cue]:
    """The class of the cue called `source`; what stands behind a colon is the cue's own business.

    Raises:
        ConfigError: there is none, or it takes nothing behind a colon, or wants something there.
    """
    name, colon, argument = source.partition(":")
    kind = CUES.get(name)
    if kind.argument and not argument:
        raise ConfigError(f"The cue {name} is written {name}:{kind.argument}.")
    if colon and not kind.argument:
        raise ConfigError(f"The cue {name} takes nothing behind a colon, here '{argument}'.", todo=f"Write {name}.")
    return kind


def make_cue(source: str, context: CueContext) -> Cue:
    """The cue called `source`, with its name.

    Raises:
        DaptError: there is none, or its files cannot be told apart.
    """
    cue = cue_type(source)(replace(context, argument=source.partition(":")[2]))
    cue.name = source
    return cue


def with_absolute_models(config: RunConfig, absolute: Callable[[str], str]) -> RunConfig:
    """The configuration with the files that its cue computes with at absolute paths; names elsewhere stay.

    Args:
        absolute: of a path.
    """
    changed = _absolute_values(config.cue.options, absolute)
    name, _, argument = config.cue.source.partition(":")
    file, colon, function = argument.rpartition(":")
    if colon:
        changed["source"] = f"{name}:{absolute(file)}:{function}"
    return config.model_copy(update={"cue": config.cue.model_copy(update=changed)}) if changed else config


def _absolute_values(options: Mapping[str, Any], absolute: Callable[[str], str]) -> dict[str, Any]:
    """The values to change; also of a cue that another one asks first."""
    keys = {key for name in CUES.names() for key in CUES.get(name).options_type.naming(Names.SEGMENTER)}
    changed: dict[str, Any] = {}
    for key in keys & set(options):
        if (path := _local(options[key])) is not None and path.exists():
            changed[key] = absolute(options[key].removeprefix(LOCAL))
    inner = options.get(PROMPT_OPTIONS)
    if isinstance(inner, Mapping) and (more := _absolute_values(inner, absolute)):
        changed[PROMPT_OPTIONS] = {**inner, **more}
    return changed


def named_models(config: RunConfig) -> dict[str, Path]:
    """The files and folders that the cue of a configuration computes with, by the setting that names them.

    Names elsewhere (of the hub, say) are not among them, and what is not there is not.
    """
    name, _, argument = config.cue.source.partition(":")
    found = _models_of(name, config.cue.options, "cue.")
    file, colon, _ = argument.rpartition(":")
    if colon:
        found["cue.source"] = Path(with_home(file))
    return {key: path for key, path in found.items() if path.exists()}


def _models_of(name: str, options: Mapping[str, Any], prefix: str) -> dict[str, Path]:
    if name not in CUES.names():
        return {}
    given = {key: _local(options.get(key)) for key in CUES.get(name).options_type.naming(Names.SEGMENTER)}
    found = {prefix + key: path for key, path in given.items() if path is not None}
    inner, prompt = options.get(PROMPT_OPTIONS), options.get("prompt")
    if isinstance(inner, Mapping) and isinstance(prompt, str):
        found |= _models_of(prompt, inner, f"{prefix}{PROMPT_OPTIONS}.")
    return found


def _local(value: Any) -> Path | None:
    """The path that a value would mean, if it means one."""
    return local_path(value) if isinstance(value, str) and value and is_local(value) else None


def check_cue(config: RunConfig) -> RunConfig:
    """Refuse a cue that does not exist, and options that no cue has or takes; the configuration with checked values.

    Raises:
        ConfigError: naming the closest one.
    """
    if config.cue.source != AUTO:
        cue_type(config.cue.source)
    _check_known(config.cue.source, config.cue.options)
    checked: dict[str, Any] = {}
    for name in CUES.names():
        kind = CUES.get(name).options_type
        given = _of(kind, config.cue.options)
        options = validated(kind, given, "cue.")
        checked |= {key: getattr(options, key) for key in given}
    return config.model_copy(update={"cue": config.cue.model_copy(update=checked)})


def _check_known(source: str, given: Mapping[str, Any]) -> None:
    """Refuse options that no cue has.

    Raises:
        ConfigError: naming the closest, or else those of the cue in use.
    """
    owners: dict[str, list[str]] = {}
    for name in CUES.names():
        for key in CUES.get(name).options_type.model_fields:
            owners.setdefault(key, []).append(name)
    unknown = sorted(set(given) - set(owners))
    if not unknown:
        return
    what = f"There is no setting 'cue.{brief(unknown[0])}'."
    own = [] if source == AUTO else list(cue_type(source).options_type.model_fields)
    near = closest(unknown[0], [*owners, "source", "refresh"])
    if near is not None:
        whose = f" (of {listing(owners[near])})" if own and near in owners and near not in own else ""
        todo = f"Did you mean '{near}'{whose}?"
    elif source == AUTO:
        todo = "Which ones there are depends on the cue: choose one with --cue."
    else:
        name = source.partition(":")[0]
        todo = f"Options of {name}: {', '.join(sorted(own))}." if own else f"The cue {name} has no options."
    raise ConfigError(what, todo=todo)


def cue_options(source: str, given: Mapping[str, Any]) -> PartOptions:
    """The options of a cue; says which of the given ones are those of another cue and are not read.

    Raises:
        ConfigError: an option that no cue has, or a value that the cue does not take.
    """
    _check_known(source, given)
    kind = cue_type(source).options_type
    for key in sorted(set(given) - set(kind.model_fields)):
        owners = [name for name in CUES.names() if key in CUES.get(name).options_type.model_fields]
        old = [name for name in owners if not issubclass(CUES.get(name), ModelCue)]
        defaults = [CUES.get(name).options_type.model_fields[key].default for name in old]
        if given[key] not in defaults:  # version 0.1.0 wrote those of all cues into run.yaml
            warn(f"cue.{key} is an option of {listing(owners)}; the masks are those of {source}, so it is not read.")
    return validated(kind, _of(kind, given), "cue.")


def _of(kind: type[PartOptions], given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key in kind.model_fields}


def source_of(source: str, *, masks: bool) -> str:
    """The name of the cue that is meant; `masks`: there are mask files to read."""
    if source != AUTO:
        return source
    return "masks" if masks else FREE


def build_cue(config: RunConfig, cache: ImageCache, data: ImageSet) -> Cue:
    """The source of foreground masks.

    Args:
        data: the whole data set, whose own masks are used where no folder is given.

    Raises:
        DaptError: there is no such source or folder, or the folder's files cannot be told apart.
    """
    source = source_of(config.cue.source, masks=bool(config.masks or data.has_masks))
    options = cue_options(source, config.cue.options)
    folder = mask_folder(config.masks)
    context = CueContext(
        options,
        folder,
        config.mask_format,
        config.skip_bad,
        cache,
        config.seed,
        data,
        mask_name=config.mask_name,
        mask_background=config.mask_background,
        device=config.device,
    )
    return make_cue(source, context)
