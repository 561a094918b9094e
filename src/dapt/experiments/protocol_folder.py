"""The folder of a protocol: its runs in folders of their own, and protocol.json."""

from __future__ import annotations

from pathlib import Path

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import Plan
from dapt.files import read_json
from dapt.lock import MANIFEST, FolderLock
from dapt.old_folders import holds_keys
from dapt.outputs import ELSEWHERE, check_apart, check_folder, refuse_linked
from dapt.owned import (
    Manifest,
    read_manifest,
    refuse_strangers,
    strangers,
    sweep,
    write_manifest,
)
from dapt.runs.apart import named_inputs
from dapt.runs.run_folder import RunFolder

KIND = "protocol"
RESULT = "protocol.json"
RESULT_KEYS = {"schema", "protocol", "method", "rows", "averaged"}


class ProtocolFolder:
    """The folder of one protocol.

    Args:
        path: the folder. name: of the protocol. plan: configuration of each run, of which the last part of `out` is
            its folder's name in `path`, and what is evaluated. todo: what the reader can do where an input is in the
            way.

    Attributes:
        lock: held while the protocol goes on.
    """

    def __init__(self, path: Path, name: str, plan: Plan, todo: str = ELSEWHERE) -> None:
        self.path = path
        self._name = name
        others = [step.point for step in plan.evaluations] + [step.point for step in plan.audits]
        self._points = {*plan.runs, *others}
        self._todo = todo
        self.lock = FolderLock(path)
        self._runs = {Path(run.out or "").name: run for run in plan.runs.values()}

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Whether the folder may be used; changes nothing.

        Raises:
            ConfigError: it exists and neither resume nor overwrite was asked for, it holds other things, or an input
                lies in it or holds it.
        """
        for run in self._runs.values():
            check_apart(self.path, named_inputs(run), todo=self._todo)
        check_folder(self.path)
        refuse_linked(self.path, [f"{name}/run.yaml" for name in self._runs])
        if not self.path.exists():
            return
        inside = strangers(self.path, ())
        if not inside and not (self.path / MANIFEST).exists():
            return
        if resume:
            self._check_resume()
            return
        if not overwrite:
            raise ConfigError(
                f"The output folder {self.path} exists.",
                todo="Pass --resume to go on with it, --overwrite to start again, or another --out.",
            )
        ours = self._is_ours()
        allowed = {*self.earlier(), *self._runs} if ours else set()
        inside = strangers(self.path, [RESULT] if ours else ())
        foreign = [path.name for path in inside if path.name not in allowed]
        if foreign:
            raise ConfigError(
                f"{self.path} holds other things than this protocol ({foreign[0]}), so --overwrite leaves it alone.",
                todo="Choose another --out.",
            )
        for path in inside:
            self._check_run(RunFolder(path))

    def _check_resume(self) -> None:
        manifest = read_manifest(self.path)
        if manifest is not None and manifest.kind != KIND:
            raise ConfigError(f"{self.path} holds {manifest.kind}, not a protocol.", todo="Choose another --out.")
        if not self._is_ours():
            raise ConfigError(f"{self.path} holds no protocol to resume.", todo="Choose another --out.")
        self.earlier()
        self._check_result()
        for name, run in self._runs.items():
            folder = RunFolder(self.path / name)
            if folder.path.exists():
                folder.check(run, resume=True, overwrite=False)

    def _check_result(self) -> None:
        """Whether protocol.json, if it is there, may be replaced: by the same protocol with the same points or more.

        Raises:
            ConfigError: it may not.
        """
        found = self._result()
        if found is None:
            return
        name, rows = found
        points = [point for point, _ in rows]
        lost = [point for point in points if point not in self._points]
        if name != self._name or lost:
            what = f"the protocol {name}" + (f" with the point {lost[0]}, which is not asked for now" if lost else "")
            raise ConfigError(
                f"{self.path / RESULT} holds {what}.",
                todo="Pass the same protocol with the same points or more, --overwrite, or another --out.",
            )

    def _check_run(self, folder: RunFolder) -> None:
        """Whether --overwrite may remove a run of the protocol."""
        manifest = folder.manifest()
        if manifest is None and strangers(folder.path, ()) and not folder.started:
            raise ConfigError(
                f"{folder.path} is not a run folder, so --overwrite leaves it alone.", todo="Choose another --out."
            )
        refuse_strangers(folder.path, strangers(folder.path, folder.known(manifest)))

    def _is_ours(self) -> bool:
        """Whether a protocol has been begun here."""
        return (self.path / MANIFEST).exists() or (self.path / RESULT).is_file()

    def earlier(self) -> list[str]:
        """Names of the folders of runs that a protocol has made here before.

        Raises:
            ConfigError: protocol.json is damaged.
        """
        manifest = read_manifest(self.path)
        if manifest is not None:
            return manifest.folders
        found = self._result()  # version 0.1.0 kept no manifest
        return [run for _, run in found[1]] if found is not None else []

    def _result(self) -> tuple[str, list[tuple[str, str]]] | None:
        """Name of the protocol, and point and run of each row of protocol.json; None where there is none.

        Raises:
            ConfigError: it is damaged.
        """
        result = self.path / RESULT
        if not result.is_file():
            return None
        damaged = ConfigError(f"{result} is damaged, or dapt did not write it.", todo="Choose another --out.")
        if not holds_keys(result, RESULT_KEYS):
            raise damaged
        tree = read_json(result)
        try:
            return str(tree["protocol"]), [(str(row["point"]), str(row["run"])) for row in tree["rows"]]
        except (KeyError, TypeError) as error:
            raise damaged from error

    def begin(self, *, resume: bool, overwrite: bool) -> list[RunFolder]:
        """Become the folder's writer and note what will be written.

        Returns:
            runs of an earlier protocol that are to be removed once this one is complete.

        Raises:
            ConfigError: as `check`, or another process uses the folder.
        """
        self.lock.take()
        self.check(resume=resume, overwrite=overwrite)
        sweep(self.path, [RESULT])
        earlier = self.earlier()
        names = list(dict.fromkeys([*earlier, *self._runs]))
        write_manifest(self.path, Manifest(KIND, {RESULT: None}, names))
        if not overwrite:
            return []
        left = [RunFolder(self.path / name) for name in earlier if name not in self._runs]
        return [folder for folder in left if folder.path.is_dir()]

    def complete(self, left: list[RunFolder]) -> None:
        """Remove what an earlier protocol has left."""
        for folder in left:
            folder.remove()
        there = [name for name in self.earlier() if (self.path / name).is_dir()]
        names = list(dict.fromkeys([*there, *self._runs]))
        write_manifest(self.path, Manifest(KIND, {RESULT: None}, names))
