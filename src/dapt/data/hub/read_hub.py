"""Data sets of the Hugging Face hub, and those saved with ``save_to_disk``: ``hf:OWNER/NAME`` and ``hf:PATH``.

Their images are written once as files with an ``index.csv`` and are read from there like any other data.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dapt.console import console, is_quiet, say, visible, warn
from dapt.data.catalog.base import data_root
from dapt.data.hub.export import INDEX, SOURCE, export, size_text, sweep_lock
from dapt.data.items import ImageSet
from dapt.data.read.csv_index import read_csv
from dapt.errors import ConfigError, DaptError, DataError, did_you_mean
from dapt.files import read_json
from dapt.paths import with_home

YES_VARIABLE = "DAPT_YES"
CHOICES = ("image", "label", "mask", "group", "config", "split", "train", "val", "test")
REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True)
class HubRequest:
    """What stands behind ``hf:``.

    Attributes:
        source: repository name, or path as given. path: the folder, if it is one on this machine.
        config: named configuration of a repository. choices: explicit columns and splits, see `CHOICES`.
    """

    source: str
    path: Path | None = None
    config: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of the repository name or path."""
        return self.path.resolve().name if self.path else self.source.rsplit("/", 1)[-1]

    @property
    def folder(self) -> str:
        """The readable part of the name of the folder that receives the images."""
        name = self.name if self.path else self.source.replace("/", "--")
        return re.sub(r"[^\w.@-]+", "_", name + (f"@{self.config}" if self.config else ""))

    def __str__(self) -> str:
        config = f"@{self.config}" if self.config else ""
        return f"hf:{self.source}{config}" + (f"?{urlencode(sorted(self.choices.items()))}" if self.choices else "")


def parse_hub(text: str) -> HubRequest:
    """Take ``OWNER/NAME[@CONFIG][?image=..&label=..]`` or ``PATH[?..]`` apart; a path that exists wins.

    Raises:
        ConfigError: an unknown choice, or a configuration of a folder.
        DataError: neither a folder nor a possible repository name.
    """
    whole = _folder(text)
    if whole is not None:
        return HubRequest(text, whole)
    source, _, query = text.partition("?")
    choices = dict(parse_qsl(query, keep_blank_values=True))
    for key in choices:
        if key not in CHOICES:
            raise ConfigError(f"hf:{text} has the unknown choice '{key}'.", todo=did_you_mean(key, CHOICES))
    if "split" in choices and {"train", "val", "test"} & set(choices):
        raise ConfigError(
            f"hf:{text} names one split to divide and splits to use.", todo="Give split=, or train=, val= and test=."
        )
    config = choices.pop("config", "")
    path = _folder(source)
    if path is not None:
        if config:
            raise ConfigError(
                f"hf:{text} names a configuration of a folder; only repositories have configurations.",
                todo="Leave out config=.",
            )
        return HubRequest(source, path, "", choices)
    source, _, at = source.partition("@")
    if REPOSITORY.fullmatch(source) is None or source.startswith("."):
        raise DataError(
            f"There is no folder '{source}', and no repository can be called so.",
            todo="Write hf:OWNER/NAME, or hf:PATH of a data set that was saved with save_to_disk.",
        )
    return HubRequest(source, None, at or config, choices)


def absolute_hub(text: str) -> str:
    """The part behind ``hf:`` with the path of a folder on this machine made absolute; a repository stays as it is."""
    whole = _folder(text)
    if whole is not None:
        return str(whole.absolute())
    source, mark, query = text.partition("?")
    path = _folder(source)
    return f"{path.absolute()}{mark}{query}" if path is not None else text


def _folder(text: str) -> Path | None:
    path = Path(with_home(text))
    return path if text and path.is_dir() else None


def read_hub(text: str, root: str | Path | None = None) -> ImageSet:
    """Read a data set of the hub, or one saved on disk.

    Its images are written once, as they are encoded, to ``<root>/hf/<name>-<fingerprint>/``; a folder that is there
    already is used again. Nothing is downloaded without consent, and no program that a repository brings is run.

    Args:
        text: what stands behind ``hf:``. root: where catalog data lives, see `data_root`.

    Raises:
        DataError: there is no such data set, no network or no consent, `datasets` is not installed, or the columns
            cannot be told.
    """
    request = parse_hub(text)
    _need_datasets()
    base = data_root(root) / "hf"
    try:
        opened = _open_saved(request, request.path) if request.path else _open_repository(request)
    except _UnreachableError as error:
        folder = _written_before(base, request)
        if folder is None:
            raise
        warn(f"{error.what} The images that were written to {folder} before are used.")
        say("HF_HUB_OFFLINE=1 spares the waiting for the hub.")
        return _read(folder, request)
    folder = base / f"{request.folder}-{_fingerprint(opened.identity, request)}"
    if (folder / INDEX).is_file():
        say(f"{request} was written to {folder} before.")
    else:
        export(opened.load(), request.choices, folder, str(request))
    return _read(folder, request)


def confirm_download(text: str) -> None:
    """Ask whether what `text` describes may be downloaded; ``$DAPT_YES=1`` says yes beforehand.

    Raises:
        DataError: no, or there is no terminal to ask in.
    """
    if os.environ.get(YES_VARIABLE) == "1":
        say(text)
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise DataError(f"{text} This needs your consent.", todo=f"Set {YES_VARIABLE}=1 to give it, then run again.")
    console().print(f"{visible(text)} Go on? [y/N] ", end="", markup=False, emoji=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise DataError("Nothing was downloaded.", todo="Run again and answer y, or name data on this machine.")


@dataclass(frozen=True)
class _Opened:
    """A data set that can be loaded. identity: differs where its content differs."""

    identity: list[str]
    load: Callable[[], Mapping[str, Any]]


class _UnreachableError(DataError):
    """The hub cannot be reached."""


def _need_datasets() -> None:
    try:
        import datasets  # noqa: F401
    except ImportError as error:
        raise DataError(
            "Data sets named hf:... need the package 'datasets', which is not installed.", todo="pip install dapt[hf]"
        ) from error


def _open_saved(request: HubRequest, path: Path) -> _Opened:
    from datasets import DatasetDict, load_from_disk

    if not any((path / name).is_file() for name in ("dataset_dict.json", "state.json")):
        raise DataError(
            f"{path} holds no data set saved with save_to_disk.",
            todo="For a folder of photos leave out 'hf:'; for a repository of that name work in another folder.",
        )
    with _explained(request):
        found = load_from_disk(str(path))
    splits = dict(found) if isinstance(found, DatasetDict) else {str(found.split or "all"): found}
    identity = [f"{split} {data._fingerprint} {len(data)} {data.features}" for split, data in sorted(splits.items())]
    return _Opened(identity, lambda: splits)


def _open_repository(request: HubRequest) -> _Opened:
    import inspect

    from datasets import load_dataset_builder

    # Versions before 4 can run a program from the repository; later ones neither can nor know the switch.
    knows = "trust_remote_code" in inspect.signature(load_dataset_builder).parameters
    safe: dict[str, Any] = {"trust_remote_code": False} if knows else {}
    with _explained(request), _bars():
        builder = load_dataset_builder(request.source, request.config or None, **safe)
    cache = Path(builder.cache_dir)

    def load() -> Mapping[str, Any]:
        if not cache.is_dir():
            confirm_download(f"Downloading {request} ({_download_size(builder, request)}) to {cache}.")
        with _explained(request), _bars():
            builder.download_and_prepare()
            return dict(builder.as_dataset())

    return _Opened([request.source, *cache.parts[-3:]], load)  # configuration, version, commit


def _download_size(builder: Any, request: HubRequest) -> str:
    if builder.info.download_size:
        return size_text(builder.info.download_size)
    from huggingface_hub import HfApi

    try:
        files = HfApi().dataset_info(request.source, files_metadata=True).siblings or []
    except Exception:  # no figure is no reason to stop: the question is asked without it
        return "of unknown size"
    return f"at most {size_text(sum(file.size or 0 for file in files))}"


def _fingerprint(identity: list[str], request: HubRequest) -> str:
    told = json.dumps([identity, sorted(request.choices.items())])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _written_before(base: Path, request: HubRequest) -> Path | None:
    """The latest complete folder that was written for the same request."""
    folders = [
        index.parent
        for index in base.glob(f"{request.folder}-*/{INDEX}")
        if (index.parent / SOURCE).is_file() and read_json(index.parent / SOURCE).get("data") == str(request)
    ]
    return max(folders, key=lambda folder: (folder / INDEX).stat().st_mtime, default=None)


def _read(folder: Path, request: HubRequest) -> ImageSet:
    sweep_lock(folder)
    return replace(read_csv(folder / INDEX), name=request.name)


@contextmanager
def _bars() -> Iterator[None]:
    """Bars of `datasets` only where ours would be shown, too."""
    import datasets

    hide = (is_quiet() or not sys.stderr.isatty()) and not datasets.are_progress_bars_disabled()
    if hide:
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        if hide:
            datasets.enable_progress_bars()


@contextmanager
def _explained(request: HubRequest) -> Iterator[None]:
    """Turn what `datasets` and the packages under it raise, of many kinds, into a `DataError`."""
    try:
        yield
    except DaptError:
        raise
    except Exception as error:
        raise _explanation(error, request) from error


def _explanation(error: Exception, request: HubRequest) -> DataError:
    chain: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in chain:
        chain.append(step)
        step = step.__cause__ or step.__context__
    kinds = {kind.__name__ for link in chain for kind in type(link).__mro__}
    text = " ".join(str(error).split())
    if len(text) > 300:
        text = text[:300] + " ..."
    if "GatedRepoError" in kinds or re.search(r"\bgated\b", text):
        return DataError(
            f"{request} is only given to people who accepted its terms.",
            todo="Accept them on its page of the hub, log in with 'hf auth login' or set HF_TOKEN, then run again.",
        )
    if kinds & {"DatasetNotFoundError", "RepositoryNotFoundError", "HFValidationError"}:
        return DataError(
            f"There is no data set {request} on the hub, or it is private.",
            todo="Check the spelling; for a private one log in with 'hf auth login' or set HF_TOKEN.",
        )
    if kinds & {"ConnectionError", "TransportError", "TimeoutError", "Timeout"}:
        return _UnreachableError(
            f"The hub cannot be reached for {request} ({text}).",
            todo="Check the network, or load it once where there is one: it is kept in the cache of 'datasets'.",
        )
    if re.search(r"\bscripts?\b|trust_remote_code", text):
        return DataError(
            f"{request} can only be read by a program in its repository, and dapt does not run such programs.",
            todo="Look for a copy in Parquet or image files, or save it yourself with save_to_disk.",
        )
    if isinstance(error, ValueError) and "onfig" in text:
        return DataError(
            f"The configuration of {request} is not clear: {text}", todo=f"Choose one: hf:{request.source}@CONFIG"
        )
    return DataError(f"{request} cannot be read: {text or type(error).__name__}")
