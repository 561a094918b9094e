"""The folders that an audit fills: its results, and its composites as data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dapt.errors import ConfigError
from dapt.lock import MANIFEST, FolderLock
from dapt.outputs import FILLED, check_folder, refuse_linked
from dapt.owned import Manifest, read_manifest, refuse_strangers, remove_known, strangers, sweep, write_manifest

LAST = ("audit.json", "index.csv")  # names of the files that are written when all others are there
RESULTS, COMPOSITES = "an audit", "composites of an audit"  # kinds of folders, as their manifests say


class AuditFolder:
    """A folder with one audit, or its composites. What is there is replaced only if that is asked for.

    Args:
        path: the folder. kind: `RESULTS` or `COMPOSITES`. option: by which it was named.
    """

    def __init__(self, path: Path, kind: str, option: str) -> None:
        self.path = path
        self._kind = kind
        self.option = option

    def check(self, *, overwrite: bool, resume: bool = False) -> None:
        """Whether the folder may be used; changes nothing.

        Args:
            resume: it may hold an unfinished one. overwrite: it may hold one.

        Raises:
            ConfigError: it holds something else.
        """
        todo = f"Choose another folder for {self.option}."
        check_folder(self.path, FILLED, todo=todo)
        if not self.path.exists() or (not strangers(self.path, ()) and not (self.path / MANIFEST).exists()):
            return
        manifest = read_manifest(self.path)
        if manifest is None or manifest.kind != self._kind:
            what = f"holds {manifest.kind}" if manifest is not None else "holds what dapt did not write"
            raise ConfigError(f"{self.path} {what}, so it is left alone.", where=self.option, todo=todo)
        if any((self.path / name).exists() for name in manifest.files) and not overwrite:
            finished = self._is_finished(manifest)
            if finished or not resume:
                raise ConfigError(
                    f"{self.path} holds {'' if finished else 'an unfinished part of '}{self._kind}.",
                    where=self.option,
                    todo=f"Pass {'' if finished else '--resume to go on with it, '}--overwrite to make it again, or "
                    "choose another folder.",
                )
        refuse_strangers(self.path, strangers(self.path, manifest.files))
        refuse_linked(self.path, manifest.files)

    def _is_finished(self, manifest: Manifest) -> bool:
        return all((self.path / name).is_file() for name in manifest.files if name.endswith(LAST))

    @contextmanager
    def open(
        self, files: Sequence[str], *, overwrite: bool, resume: bool = False, keep: Sequence[str] = ()
    ) -> Iterator[Path]:
        """Be the folder's only writer; what an earlier audit left is removed first.

        Args:
            files: all that will be written, by path in the folder; that by which the rest is found comes first.
            overwrite, resume: see `check`. keep: files that stay if an unfinished audit goes on.

        Raises:
            DaptError: it is in use, holds something else, or cannot be made.
        """
        with FolderLock(self.path):
            self.check(overwrite=overwrite, resume=resume)  # again, now that nobody else writes
            before = read_manifest(self.path)
            if before is not None:
                stay = keep if resume and not self._is_finished(before) else ()
                remove_known(self.path, [name for name in before.files if name not in stay])
            sweep(self.path, files)
            write_manifest(self.path, Manifest(self._kind, dict.fromkeys(files)))
            yield self.path
