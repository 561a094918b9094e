"""The folders that an audit fills: its results, and its composites as data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dapt.errors import ConfigError
from dapt.lock import MANIFEST, FolderLock
from dapt.outputs import FILLED, check_folder, refuse_linked
from dapt.owned import Manifest, read_manifest, refuse_strangers, remove_known, strangers, sweep, write_manifest

RESULTS, COMPOSITES = "an audit", "composites of an audit"  # kinds of folders, as their manifests say


class AuditFolder:
    """A folder with one audit, or its composites. What is there is replaced only if that is asked for.

    Args:
        path: the folder. kind: `RESULTS` or `COMPOSITES`. option: by which it was named.
    """

    def __init__(self, path: Path, kind: str, option: str) -> None:
        self.path = path
        self._kind = kind
        self._option = option

    def check(self, *, overwrite: bool) -> None:
        """Whether the folder may be used; changes nothing.

        Raises:
            ConfigError: it holds something, and it is not an earlier one that is to be overwritten.
        """
        todo = f"Choose another folder for {self._option}."
        check_folder(self.path, FILLED, todo=todo)
        if not self.path.exists() or (not strangers(self.path, ()) and not (self.path / MANIFEST).exists()):
            return
        manifest = read_manifest(self.path)
        if manifest is None or manifest.kind != self._kind:
            what = f"holds {manifest.kind}" if manifest is not None else "holds what dapt did not write"
            raise ConfigError(f"{self.path} {what}, so it is left alone.", where=self._option, todo=todo)
        if not overwrite:
            raise ConfigError(
                f"{self.path} holds {self._kind}, or an unfinished one.",
                where=self._option,
                todo="Pass --overwrite to make it again, or choose another folder.",
            )
        refuse_strangers(self.path, strangers(self.path, manifest.files))
        refuse_linked(self.path, manifest.files)

    @contextmanager
    def open(self, files: Sequence[str], *, overwrite: bool) -> Iterator[Path]:
        """Be the folder's only writer; what an earlier audit left is removed first.

        Args:
            files: all that will be written, by path in the folder; that by which the rest is found comes first.

        Raises:
            DaptError: it is in use, holds something else, or cannot be made.
        """
        with FolderLock(self.path):
            self.check(overwrite=overwrite)  # again, now that nobody else writes
            before = read_manifest(self.path)
            if before is not None:
                remove_known(self.path, before.files)
            sweep(self.path, files)
            write_manifest(self.path, Manifest(self._kind, dict.fromkeys(files)))
            yield self.path
