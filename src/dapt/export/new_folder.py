"""A folder that appears whole or not at all: it is filled beside its place and then given its name."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dapt.console import warn
from dapt.errors import ConfigError
from dapt.files import make_folder, refused, remove_file, sync_folder
from dapt.lock import LOCK, MANIFEST
from dapt.outputs import check_apart
from dapt.owned import Manifest, digest_of, read_manifest, remove_empty, remove_known, write_manifest
from dapt.runs.output_folder import OutputFolder

KIND = "an exported model"
LAST = "model.json"


class NewFolder:
    """The folder of an export.

    Args:
        path: the folder. option: by which it was named.
    """

    def __init__(self, path: Path, option: str = "--out") -> None:
        self.path = path
        self._checked = OutputFolder(path, KIND, option, last=(LAST,))

    def check(self, inputs: dict[str, Path | None], *, overwrite: bool) -> None:
        """Whether the folder may be written; changes nothing.

        Args:
            inputs: what is read, by what it is called in messages. overwrite: it may hold an earlier export.

        Raises:
            ConfigError: it holds something else, or an input, or lies within one.
        """
        check_apart(self.path, inputs)
        self._checked.check(overwrite=overwrite)

    @contextmanager
    def filled(self, *, overwrite: bool) -> Iterator[Path]:
        """A folder to fill; at the end it takes the place of this one, and after an error nothing is left of it.

        Raises:
            ConfigError: meanwhile somebody else has written there. DaptError: the file system refuses.
        """
        part = self.path.parent / f".{self.path.name}.{os.getpid()}.part"
        self._tell_of_parts()
        try:
            make_folder(part.parent)
            part.mkdir()
            yield part
            self._seal(part)
            self._checked.check(overwrite=overwrite)
            self._clear()
            part.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise refused(error, self.path) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _tell_of_parts(self) -> None:
        for left in sorted(self.path.parent.glob(f".{glob.escape(self.path.name)}.*.part")):
            warn(f"{left} is of an export that was killed, or still runs; remove it if none does.")

    def _seal(self, part: Path) -> None:
        """Make durable what was written, and list it."""
        files: dict[str, str | None] = {}
        for path in sorted(each for each in part.rglob("*") if each.is_file()):
            with path.open("rb+") as written:
                os.fsync(written.fileno())
            files[path.relative_to(part).as_posix()] = digest_of(path.read_bytes())
        if LAST not in files:
            raise ConfigError(f"An export without {LAST} is none.")
        write_manifest(part, Manifest(KIND, files))

    def _clear(self) -> None:
        """Remove an earlier export, and nothing else."""
        if not self.path.is_dir():
            return
        manifest = read_manifest(self.path)
        remove_known(self.path, manifest.files if manifest is not None else ())
        for name in (MANIFEST, LOCK):
            remove_file(self.path / name)
        remove_empty(self.path)
