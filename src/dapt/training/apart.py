"""Where a run may be written: neither over nor into anything that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dapt.config import RunConfig
from dapt.data.items import ImageSet
from dapt.data.sources import is_path
from dapt.errors import ConfigError
from dapt.owned import check_apart, holding


def named_inputs(config: RunConfig) -> dict[str, Path | None]:
    """The files and folders that a configuration with absolute paths names, by what they are called in messages."""
    head, colon, place = config.model.partition(":")
    teacher = config.prompt.get("teacher")
    given = {
        "the data": config.data if is_path(config.data) else None,
        "the masks": config.masks,
        "the names file": config.names,
        "the split file": config.split_file,
        "the weights of the backbone": place if colon and head != "hf-hub" else None,
        "the teacher": teacher if isinstance(teacher, str) else None,
    }
    return {label: Path(text) if text else None for label, text in given.items()}


def check_files_apart(out: Path, data: ImageSet, given: str) -> None:
    """Refuse an output folder that holds an image or mask of the data, or lies within the folder of a data set.

    Args:
        given: DATA as the user named it. The folder of a CSV index may hold other things, so an output folder may lie
            in it.

    Raises:
        ConfigError: naming one of the files.
    """
    found = holding(out, _files(data))
    if found is not None:
        raise ConfigError(
            f"The output folder {out} holds files of the data ({found}).", todo="Choose another folder for the output."
        )
    if not is_path(given):
        check_apart(out, {"the data": Path(data.root)})


def _files(data: ImageSet) -> Iterator[Path]:
    for items in data.splits.values():
        for item in items:
            yield item.path
            if item.mask is not None:
                yield item.mask
