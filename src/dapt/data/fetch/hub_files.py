"""Files of a repository on the Hugging Face hub, found by pattern."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dapt.console import is_quiet, say
from dapt.data.fetch.download import AGAIN, ChecksumError, SourceError, checksum_of
from dapt.errors import DataError

ENDPOINT_VARIABLE = "HF_ENDPOINT"
# Packages whose errors huggingface_hub lets through.
NETWORK = ("huggingface_hub", "httpx", "httpx2", "httpcore", "requests", "urllib3")


@dataclass(frozen=True)
class HubFile:
    """One file of a repository.

    Attributes:
        repo: ``OWNER/NAME``. repo_type: ``dataset`` or ``model``. path: in the repository. size: bytes.
        sha256: hexadecimal, empty where the hub does not tell (small files).
    """

    repo: str
    repo_type: str
    path: str
    size: int
    sha256: str = ""

    @property
    def address(self) -> str:
        """For people."""
        kind = "datasets/" if self.repo_type == "dataset" else ""
        return f"{endpoint() or 'https://huggingface.co'}/{kind}{self.repo}/blob/main/{self.path}"


def endpoint() -> str | None:
    """``$HF_ENDPOINT``, None for the hub itself."""
    return os.environ.get(ENDPOINT_VARIABLE, "").rstrip("/") or None


def find_files(repo: str, pattern: str, repo_type: str = "dataset") -> list[HubFile]:
    """The files of a repository in whose path `pattern` (a regular expression) is found, in order of their paths.

    Raises:
        SourceError: the hub cannot be reached, there is no such repository, or no file matches.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    with _explained(repo):
        entries = list(HfApi(endpoint=endpoint()).list_repo_tree(repo, recursive=True, repo_type=repo_type))
    files = [entry for entry in entries if isinstance(entry, RepoFile)]
    found = [
        HubFile(repo, repo_type, file.path, file.size, file.lfs.sha256 if file.lfs else "")
        for file in files
        if re.search(pattern, file.path)
    ]
    if not found:
        raise SourceError(
            f"None of the {len(files)} files of {repo} matches '{pattern}'.",
            where=f"{endpoint() or 'https://huggingface.co'}",
            todo="The collection was changed. Report it, or fetch the files by hand.",
        )
    return sorted(found, key=lambda file: file.path)


def get_file(file: HubFile, folder: Path, *, force: bool = False) -> Path:
    """Download one file below `folder`; an interrupted download is gone on with.

    Raises:
        SourceError: the hub cannot be reached, or refuses. DataError: the disk is full.
        ChecksumError: the content is not what the hub announced; it is deleted.
    """
    from huggingface_hub import hf_hub_download

    say(f"downloading {file.path} of {file.repo}")
    with _explained(file.repo), bars():
        path = Path(
            hf_hub_download(
                file.repo,
                file.path,
                repo_type=file.repo_type,
                local_dir=folder,
                endpoint=endpoint(),
                force_download=force,
            )
        )
    if file.sha256 and (found := checksum_of(path)) != f"sha256:{file.sha256}":
        path.unlink()
        raise ChecksumError(
            f"{file.path} is not what the hub announced: its checksum is {found}, it should be sha256:{file.sha256}.",
            where=file.address,
            todo="It was deleted. Run the same command again.",
        )
    return path


@contextmanager
def bars() -> Iterator[None]:
    """The hub's own progress bars, where a bar can be shown."""
    import sys

    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if are_progress_bars_disabled() or (sys.stderr.isatty() and not is_quiet()):
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Turn what `huggingface_hub` and the packages under it raise into errors for users."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise DataError(
                f"The disk is full: files of {repo} cannot be written.",
                todo=f"Free some space, or choose another disk with --root. {AGAIN}",
            ) from error
        kinds = {kind.__name__ for kind in type(error).__mro__}
        packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
        if not packages & {*NETWORK} and not isinstance(error, (OSError, RuntimeError)):  # hf_xet: RuntimeError
            raise
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if "GatedRepoError" in kinds:
            what, todo = f"{repo} asks for consent to its terms.", "Agree on its page, then 'hf auth login'."
        elif "RepositoryNotFoundError" in kinds:
            what, todo = f"There is no repository {repo} on the hub, or it is private.", "It may have been moved."
        else:
            what, todo = f"Files of {repo} cannot be had from the hub: {first}", f"Is this machine online? {AGAIN}"
        raise SourceError(what, where=endpoint() or "https://huggingface.co", todo=todo) from error
