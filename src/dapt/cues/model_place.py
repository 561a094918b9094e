"""Where the model of a cue comes from: a local folder of the transformers library, or the Hugging Face hub."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.clip.file_kinds import refuse_foreign
from dapt.clip.transformers_layout import CONFIG, WEIGHTS, read_table, weight_files
from dapt.clip.weight_files import first_line
from dapt.console import say
from dapt.errors import ConfigError, DaptError, ModelError
from dapt.paths import LOCAL as LOCAL
from dapt.paths import with_home

SMALL = ("*.json", "*.txt", "*.model")  # configuration and vocabulary
SAMPLE = 2**20  # bytes


@dataclass(frozen=True)
class Kind:
    """A kind of model.

    Attributes:
        title: what it is called. types: what ``model_type`` in its config.json may be. example: a name on the hub.
    """

    title: str
    types: tuple[str, ...]
    example: str


def is_local(spec: str) -> bool:
    """Whether the name of a model means a folder or file on this machine, be it there or not."""
    return spec.startswith((LOCAL, "/", ".", "~")) or spec.count("/") != 1 or Path(spec).exists()


def local_path(spec: str) -> Path:
    """The folder or file that is meant."""
    return Path(with_home(spec.removeprefix(LOCAL)))


def find_model(spec: str, kind: Kind) -> Path:
    """The folder of a model, fetched from the hub if it is a name there; it is looked at, nothing is loaded.

    Args:
        spec: a folder, with or without ``local-dir:``, or ``OWNER/NAME`` on the hub.

    Raises:
        ModelError: missing, incomplete or of another kind; the hub has none of that name or cannot be reached.
    """
    folder = local_path(spec) if is_local(spec) else _from_hub(spec.removeprefix("hf-hub:"))
    if folder.is_file():
        raise ModelError(f"{folder} is a file, not the folder of a {kind.title} model.", todo=_wanted(kind))
    if not folder.is_dir():
        raise ModelError(f"There is no model folder {folder}.", where="cue.model", todo=_wanted(kind))
    check_kind(folder, kind)
    for file in weight_files(folder):
        refuse_foreign(file)
    return folder


def check_kind(folder: Path, kind: Kind) -> str:
    """The ``model_type`` that a folder's configuration tells.

    Raises:
        ModelError: it has none, or that of another kind.
    """
    if not (folder / CONFIG).is_file():
        raise ModelError(f"{folder} is no model folder of transformers: it has no {CONFIG}.", todo=_wanted(kind))
    found = read_table(folder / CONFIG).get("model_type")
    if found not in kind.types:
        raise ModelError(
            f"{folder} holds a model of the kind {found!r}, not {kind.title} ({' or '.join(kind.types)}).",
            todo=_wanted(kind),
        )
    return str(found)


def _wanted(kind: Kind) -> str:
    return (
        f"Expected is a folder of {kind.title} as transformers saves it, or a name on the hub such as {kind.example}."
    )


def _from_hub(repository: str) -> Path:
    """The local copy of a repository; what is not there yet is fetched after saying what, how big, and where to.

    Raises:
        ModelError: there is none, it may not be read, or the hub cannot be reached.
    """
    cached = _cached(repository)
    if cached is not None:
        return cached
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        files = HfApi().model_info(repository, files_metadata=True, timeout=10).siblings or []
        sizes = {file.rfilename: file.size or 0 for file in files}
        wanted = _wanted_files(sizes)
        if not wanted:
            raise ModelError(f"'{repository}' on the hub holds no weights that transformers reads.")
        size = sum(sizes[name] for name in wanted) / 1e6  # as the hub counts
        say(f"Downloading {repository} ({size:.0f} MB) to {constants.HF_HUB_CACHE}.")
        say(f"Its licence: https://huggingface.co/{repository}")
        return Path(snapshot_download(repository, allow_patterns=[*wanted, *SMALL]))
    except DaptError:
        raise
    except GatedRepoError as error:
        raise ModelError(
            f"The weights of '{repository}' are given out after accepting their licence.",
            todo=f"Accept it at https://huggingface.co/{repository}, then run: hf auth login",
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"There is no folder '{repository}' here, and the Hugging Face hub has no model of that name.",
            todo="Check the name.",
        ) from error
    except ValueError as error:  # no name that a repository can have
        raise ConfigError(f"'{repository}' is neither a folder nor a name on the hub: {first_line(error)}.") from error
    except Exception as error:
        raise ModelError(
            f"'{repository}' is not in the local cache ({constants.HF_HUB_CACHE}), and it could not be fetched from "
            f"the Hugging Face hub: {first_line(error)}.",
            todo="Check the network, or copy the folder from another machine and give its path: cue.model=FOLDER.",
        ) from error


def _cached(repository: str) -> Path | None:
    """The folder in the cache, if the whole model is there."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
        weight_files(folder)
    except Exception:  # not there, or not all of it
        return None
    return folder if (folder / CONFIG).is_file() else None


def _wanted_files(names: Collection[str]) -> list[str]:
    """The weight files that are read of those in a repository; in its first folder, safetensors before pickles."""
    for name in WEIGHTS:
        stem, _, suffix = name.rpartition(".")
        found = [each for each in names if each == name or (each.startswith(f"{stem}-") and each.endswith(suffix))]
        if found:
            return [name] if name in found else sorted(found)
    return []


def digest_of_model(path: Path) -> str:
    """What tells models apart: names, sizes, and the first and last megabyte of every file, as SHA-256.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.is_file())
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode("utf-8", "surrogateescape"))
        with file.open("rb") as opened:
            digest.update(opened.read(SAMPLE))
            opened.seek(max(0, size - SAMPLE))
            digest.update(opened.read(SAMPLE))
    return digest.hexdigest()


def made_with_model(spec: str) -> dict[str, Any]:
    """The digest of a local model; of one on the hub the name tells enough, and nothing is fetched."""
    path = local_path(spec)
    return {"weights": digest_of_model(path)} if is_local(spec) and path.exists() else {}
