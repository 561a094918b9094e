"""The folder of a demonstration: whether it may be used, and clearing it of what a demonstration put there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from dapt.config_text import read_yaml
from dapt.demo.setting import DemoSettings, settings_of
from dapt.errors import ConfigError, DaptError
from dapt.files import remove_file, write_text
from dapt.lock import MANIFEST, FolderLock
from dapt.outputs import check_folder, refuse_linked
from dapt.owned import (
    Manifest,
    read_manifest,
    refuse_strangers,
    remove_known,
    strangers,
    sweep,
    write_manifest,
)
from dapt.runs.run_folder import RunFolder

SETTINGS = "demo.yaml"
KIND = "demo"


class DemoFolder:
    """The folder of one demonstration, or of its scenes alone.

    Args:
        path: the folder. settings: of the demonstration. files: what will be written, by path in the folder.
        runs: paths of the folders of its runs in it.
    """

    def __init__(self, path: Path, settings: DemoSettings, files: Sequence[str] = (), runs: Sequence[str] = ()) -> None:
        self.path = path
        self.settings = settings
        self._manifest = Manifest(KIND, dict.fromkeys([SETTINGS, *files]), list(runs))
        self._lock = FolderLock(path)

    @contextmanager
    def open(self, *, resume: bool = False, overwrite: bool = False) -> Iterator[None]:
        """Be the folder's only writer; what an earlier demonstration left is removed first with `overwrite`.

        Args:
            resume: the folder may hold an unfinished demonstration with the same settings.

        Raises:
            DaptError: it is in use, holds something else, or cannot be made.
        """
        try:
            self.check(resume=resume, overwrite=overwrite)
        except OSError as error:
            raise DaptError(
                f"The folder {self.path} cannot be used: {error.strerror or error}.", todo="Choose another folder."
            ) from error
        with self._lock:
            self.check(resume=resume, overwrite=overwrite)  # again, now that nobody else writes
            going_on = resume and (self.path / SETTINGS).is_file()
            if not going_on:
                self._clear()
            sweep(self.path, self._manifest.files)
            write_manifest(self.path, self._manifest)
            if not going_on:
                text = yaml.safe_dump(self.settings.model_dump(), sort_keys=False)
                write_text(self.path / SETTINGS, text, make_parents=False)
            yield

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Whether the folder may be used; changes nothing.

        Raises:
            ConfigError: it may not.
        """
        check_folder(self.path, todo="Choose another folder.")
        if not self.path.exists() or (not strangers(self.path, ()) and not (self.path / MANIFEST).exists()):
            return
        before = self._before()
        if resume and before is not None and before != self.settings:
            raise ConfigError(
                f"What is in {self.path} was started with other settings.",
                todo="Repeat the options it was started with, or pass --overwrite to start again.",
            )
        if not resume and not overwrite:
            raise ConfigError(
                f"The output folder {self.path} holds a demo.",
                todo="Pass --resume to finish it, --overwrite to start again, or another folder.",
            )
        if resume:
            refuse_linked(self.path, [*self._manifest.files, *(f"{run}/run.yaml" for run in self._manifest.folders)])
        if overwrite or before is None:
            manifest = self._earlier()
            refuse_strangers(self.path, strangers(self.path, manifest.files, manifest.folders))
            for run in self._runs_in(manifest):
                refuse_strangers(run.path, strangers(run.path, run.known(run.manifest())))

    def _before(self) -> DemoSettings | None:
        """The settings of the demonstration that is there; None: its removal or its start was interrupted.

        Raises:
            ConfigError: the folder is not one of a demonstration.
        """
        foreign = ConfigError(f"{self.path} exists and holds something else.", todo="Choose another folder.")
        manifest = read_manifest(self.path)
        if manifest is not None and manifest.kind != KIND:
            raise foreign
        if manifest is not None and not (self.path / SETTINGS).exists():
            return None
        try:
            return settings_of(read_yaml(self.path / SETTINGS))
        except ConfigError:
            raise foreign from None

    def _earlier(self) -> Manifest:
        """What an earlier demonstration wrote here; of version 0.1.0, which kept no manifest, by its settings."""
        manifest = read_manifest(self.path)
        if manifest is not None:
            return manifest
        from dapt.demo.contents import demo_files, demo_runs, scene_files

        before = self._before() or self.settings
        files = [SETTINGS, *demo_files(before), *scene_files(before)]
        return Manifest(KIND, dict.fromkeys(files), demo_runs(before))

    def _runs_in(self, manifest: Manifest) -> list[RunFolder]:
        return [RunFolder(self.path / name) for name in manifest.folders if (self.path / name).is_dir()]

    def _clear(self) -> None:
        """Remove what an earlier demonstration wrote, the settings first: without them nothing is there to go on with.

        Raises:
            ConfigError: something else has come into a run's folder.
        """
        manifest = self._earlier() if (self.path / SETTINGS).exists() or (self.path / MANIFEST).exists() else None
        if manifest is None:
            return
        remove_file(self.path / SETTINGS)
        for run in self._runs_in(manifest):
            run.remove()
        remove_known(self.path, manifest.files)
        for folder in sorted({(self.path / name).parent for name in manifest.folders}):
            if folder != self.path and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
