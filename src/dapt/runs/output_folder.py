"""A folder that a command fills with one kind of thing: never over what is somebody else's, gone on with if asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dapt.errors import ConfigError
from dapt.files import remove_file
from dapt.lock import LOCK, MANIFEST, FolderLock
from dapt.outputs import FILLED, check_folder, refuse_linked
from dapt.owned import (
    Manifest,
    read_manifest,
    refuse_strangers,
    remove_empty,
    remove_known,
    strangers,
    sweep,
    write_manifest,
)


class OutputFolder:
    """A folder with one kind of thing. What is there is replaced only if that is asked for.

    Args:
        path: the folder. kind: of what is in it, as its manifest says. option: by which it was named.
        last: how the names end of the files with which it is finished; none: it never is, for it is removed then.
        other: what else the user may choose.
    """

    def __init__(
        self, path: Path, kind: str, option: str, *, last: tuple[str, ...], other: str = "another folder"
    ) -> None:
        self.path = path
        self._kind = kind
        self.option = option
        self._last = last
        self._other = other

    def check(self, *, overwrite: bool, resume: bool = False) -> None:
        """Whether the folder may be used; changes nothing.

        Args:
            resume: it may hold something unfinished. overwrite: it may hold anything of its kind.

        Raises:
            ConfigError: it holds something else.
        """
        todo = f"Choose {self._other} for {self.option}."
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
                    f"choose {self._other}.",
                )
        refuse_strangers(self.path, strangers(self.path, manifest.files))
        refuse_linked(self.path, manifest.files)

    def _is_finished(self, manifest: Manifest) -> bool:
        marks = [name for name in manifest.files if name.endswith(self._last)]
        return bool(marks) and all((self.path / name).is_file() for name in marks)

    @contextmanager
    def open(
        self, files: Sequence[str], *, overwrite: bool, resume: bool = False, keep: Sequence[str] = ()
    ) -> Iterator[Path]:
        """Be the folder's only writer; what an earlier command left is removed first.

        Args:
            files: all that will be written, by path in the folder; that by which the rest is found comes first.
            overwrite, resume: see `check`. keep: files that stay if something unfinished goes on.

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

    def clear(self, files: Sequence[str]) -> None:
        """Remove all that its one writer wrote, within `open`; then `remove` removes the folder."""
        remove_known(self.path, files)
        remove_file(self.path / MANIFEST)
        remove_file(self.path / LOCK)

    def remove(self) -> None:
        """Remove the folder where nothing is left in it, after `open`."""
        if self.path.is_dir() and not any(self.path.iterdir()):
            remove_empty(self.path)
