"""Where a run, and other outputs, may be written: neither over nor into anything that is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dapt.config import RunConfig
from dapt.cues.build import named_models
from dapt.data.items import ImageSet
from dapt.data.read.table_file import TABLE_TYPES
from dapt.data.resolve import INDEX, is_path
from dapt.errors import ConfigError
from dapt.outputs import ELSEWHERE, check_apart, check_file, holding
from dapt.paths import with_home
from dapt.runs.run_folder import RunFolder
from dapt.strict import Names

BY_DEFAULT = "It was chosen by default, below the working folder: name a folder outside with --out FOLDER."


def named_inputs(config: RunConfig) -> dict[str, Path | None]:
    """The files and folders that a configuration names, by what they are called in messages."""
    head, colon, place = config.model.partition(":")
    given = {
        "the data": str(place_of(config.data)) if is_path(config.data) else None,
        "the masks": config.masks,
        "the names file": config.names,
        **{f"the plugin {number}": file for number, file in enumerate(config.plugins, start=1)},
        "the split file": config.split_file,
        "the run whose split is kept": config.keep_split,
        "the class weights": None if config.class_weights in ("none", "auto") else config.class_weights,
        "the weights of the backbone": place if colon and head != "hf-hub" else None,
        **{f"the {key}": config.prompt[key] for key in config.recipe.options.naming(Names.SAVED_MODEL)},
        **{f"what {key} names": str(path) for key, path in named_models(config).items()},
    }
    return {label: Path(with_home(text)) if text else None for label, text in given.items()}


def place_of(data: str) -> Path:
    """The path that DATA names: of a folder with an index, the index; other things may lie beside that."""
    path = Path(with_home(data))
    return path / INDEX if (path / INDEX).is_file() else path


def places_read(run: RunFolder) -> dict[str, Path]:
    """What a finished run has read, by what it is called in messages: files, folders, folders of a CSV's images."""
    found = {f"{label} of the run": path for label, path in named_inputs(run.config()).items() if path is not None}
    data = found.get("the data of the run")
    if data is None or data.suffix.lower() not in TABLE_TYPES or not run.split_file.is_file():
        return found
    split = run.earlier_split()
    names = [row[0] for part in ("train", "val", "test") for row in split.get(part) or ()]
    for first in sorted({name.partition("/")[0] for name in names if "/" in name}):
        found[f"the folder {first} of the data of the run"] = data.parent / first
    return found


def advice(config: RunConfig) -> str:
    """What to do about an output folder in the wrong place."""
    return ELSEWHERE if config.out else BY_DEFAULT


def check_files_apart(out: Path, data: ImageSet, given: str, *, todo: str = ELSEWHERE) -> None:
    """Refuse an output folder that holds an image or mask of the data, or lies where those of a data set are.

    Args:
        given: DATA as the user named it. The folder of a CSV index may hold other things, so an output folder may lie
            in it, but not in a folder there that holds images or masks. todo: what the reader can do.

    Raises:
        ConfigError: naming one of the files, or the folder.
    """
    found = holding(out, _files(data))
    if found is not None:
        raise ConfigError(f"The output folder {out} holds files of the data ({found}).", todo=todo)
    check_apart(out, _places(data, given), todo=todo)


def check_file_apart(path: Path | None, option: str, data: ImageSet, given: str) -> None:
    """As `check_files_apart`, for an output file; None: none is written.

    Raises:
        ConfigError: naming the folder.
    """
    if path is not None:
        check_file(path, option, _places(data, given))


def _places(data: ImageSet, given: str) -> dict[str, Path | None]:
    """Where the data is: the place that the user named, or its root, and what lies in the first level of its root."""
    places: dict[str, Path | None] = {"the data": place_of(given) if is_path(given) else Path(data.root)}
    for folder in sorted({path.parent for path in _files(data)}):
        parts = folder.relative_to(data.root).parts if folder.is_relative_to(data.root) else ()
        if parts:
            places[f"the folder {parts[0]} of the data"] = Path(data.root, parts[0])
    return places


def _files(data: ImageSet) -> Iterator[Path]:
    for items in data.splits.values():
        for item in items:
            yield item.path
            if item.mask is not None:
                yield item.mask
