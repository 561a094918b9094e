"""The folder of a run: what is in it, when it may be used, and writing into it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dapt.clip.dassl import dassl_checkpoint
from dapt.config import RunConfig, make_saved_config
from dapt.config_text import read_yaml, to_yaml
from dapt.errors import ConfigError, DaptError
from dapt.files import append_bytes, json_text, parse_json, read_json, remove_file, write_bytes
from dapt.lock import LOCK, MANIFEST, FolderLock
from dapt.model.saved import find_prompts, runs_inside
from dapt.old_folders import is_old_run
from dapt.outputs import CLOSED, FILLED, check_folder
from dapt.owned import (
    Manifest,
    check_sealed,
    digest_of,
    read_manifest,
    refuse_strangers,
    remove_empty,
    remove_known,
    strangers,
    sweep,
    write_manifest,
)
from dapt.paths import with_home
from dapt.results import RunResults, read_record
from dapt.runs.evaluation_files import EVALUATIONS, is_evaluation
from dapt.runs.run_settings import FREE_KEYS, first_difference, with_rule_of, with_words_of, without_later
from dapt.runs.run_settings import result_settings as result_settings

KIND = "run"
EVENTS = "events.out.tfevents.0.dapt"
# In the order in which --overwrite removes them: without run.yaml nothing has been started.
FILES = (
    *("run.yaml", "last.ckpt", "results.json", "prompts.safetensors", "metrics.jsonl", "split.json", "inputs.json"),
    *("log.txt", EVENTS, "tracked.json", "division.json"),
)


class RunFolder:
    """Paths and files of one run.

    Args:
        path: the folder. within: a folder above it that has to be there, None: any is made.
    """

    def __init__(self, path: Path, within: Path | None = None) -> None:
        self.path = path
        self.config_file = path / "run.yaml"
        self.metrics_file = path / "metrics.jsonl"
        self.results_file = path / "results.json"
        self.prompts_file = path / "prompts.safetensors"
        self.checkpoint_file = path / "last.ckpt"
        self.split_file = path / "split.json"
        self.division_file = path / "division.json"
        self.inputs_file = path / "inputs.json"
        self.log_file = path / "log.txt"
        self.events_file = path / EVENTS
        self.tracked_file = path / "tracked.json"
        self.lock: FolderLock = FolderLock(path, within)
        self.begun = False
        self._place: tuple[int, int] | None = None
        self._written: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "lock": None}  # it stays with the process that took it

    @property
    def done(self) -> bool:
        """Whether the run has completed, and its removal has not begun."""
        return self.started and self.results_file.is_file() and self.prompts_file.is_file()

    @property
    def started(self) -> bool:
        """Whether there is something to go on with: the inputs and the configuration are noted."""
        return self.config_file.is_file()

    @property
    def is_ours(self) -> bool:
        """Whether dapt has begun to write into the folder, or another process may be about to."""
        return any(os.path.lexists(self.path / name) for name in (MANIFEST, LOCK))

    def check(self, config: RunConfig, *, resume: bool, overwrite: bool) -> None:
        """Whether the folder may be used for `config`; changes nothing.

        Raises:
            ConfigError: it exists and neither resume nor overwrite was asked for, it holds another run, or what dapt
                did not write.
        """
        check_folder(self.path, CLOSED if self._is_of_protocol() else FILLED)
        if not self.path.exists():
            return
        if not strangers(self.path, ()) and not (self.path / MANIFEST).exists():
            return  # empty, but for what a run leaves that was killed before its first file
        if not resume and not overwrite and self.done:
            raise ConfigError(
                f"The output folder {self.path} exists and holds a finished run.",
                todo="Pass --overwrite to train it again, or another --out.",
            )
        if not resume and not overwrite:
            raise ConfigError(
                f"The output folder {self.path} exists.",
                todo="Pass --resume to go on with it, --overwrite to start again, or another --out.",
            )
        manifest = self.manifest()
        if manifest is not None and manifest.kind != KIND:
            raise ConfigError(f"{self.path} holds {manifest.kind}, not a run.", todo="Choose another --out.")
        if overwrite:
            if manifest is None and not is_old_run(self.path):
                found = strangers(self.path, ())
                raise ConfigError(
                    f"{self.path} is not a run folder, so --overwrite leaves it alone. It holds {found[0].name}"
                    + (f" and {len(found) - 1} more." if len(found) > 1 else "."),
                    todo="Choose another --out.",
                )
            refuse_strangers(self.path, strangers(self.path, self.known(manifest)))
        elif manifest is None and not is_old_run(self.path):
            raise ConfigError(
                f"{self.path} holds no run to resume (no run.yaml of dapt).",
                todo="Choose another --out, or an empty folder.",
            )
        elif self.started:
            self._check_same(config, manifest)

    def config(self) -> RunConfig:
        """The configuration of a run that was started.

        Raises:
            ConfigError: it cannot be read, or is none.
        """
        return make_saved_config(read_yaml(self.config_file))

    def going_on(self, config: RunConfig) -> RunConfig:
        """`config` with what it leaves open as the run that was started here has it."""
        before = read_yaml(self.config_file)
        return with_rule_of(with_words_of(config, before), before)

    def _is_of_protocol(self) -> bool:
        """Whether the folder above is that of a protocol which names this run as its own."""
        above = read_manifest(self.path.parent)
        return above is not None and self.path.name in above.folders

    def manifest(self) -> Manifest | None:
        """The list of what dapt wrote here, None for runs of version 0.1.0."""
        return read_manifest(self.path)

    def known(self, manifest: Manifest | None) -> list[str]:
        """Paths in the folder that dapt wrote or may have written, in the order in which they may be removed."""
        if manifest is not None:
            return [*FILES, *(name for name in manifest.files if name not in FILES)]
        events = [path.name for path in sorted(self.path.glob("events.out.tfevents.*"))]
        evaluations = [path for path in sorted((self.path / EVALUATIONS).glob("*.json")) if is_evaluation(path)]
        return [*FILES, *events, *(f"{EVALUATIONS}/{path.name}" for path in evaluations)]

    def earlier_split(self) -> Any:
        """split.json of a run that was started.

        Raises:
            DaptError: it is missing, changed or damaged.
        """
        check_sealed(self.path, self.manifest(), self.split_file.name)
        return read_json(self.split_file)

    def earlier_inputs(self) -> Any:
        """inputs.json of a run that was started.

        Raises:
            DaptError: it is missing, changed or damaged.
        """
        if not self.inputs_file.is_file():
            raise ConfigError(
                f"The run in {self.path} does not say what it was started with, as version 0.1.0 did not.",
                todo="Pass --overwrite to start again.",
            )
        check_sealed(self.path, self.manifest(), self.inputs_file.name)
        return read_json(self.inputs_file)

    def begin(
        self,
        config: RunConfig,
        *,
        resume: bool,
        overwrite: bool,
        split: dict[str, Any],
        inputs: dict[str, Any],
        division: dict[str, Any] | None = None,
    ) -> None:
        """Become the folder's writer; start the run in it, unless `resume` finds it started.

        Args:
            split: content of split.json. inputs: content of inputs.json. division: content of division.json, if any.

        Raises:
            ConfigError: as `check`, or another process uses the folder.
            DaptError: the file system refuses.
        """
        self.lock.take()
        self.check(config, resume=resume, overwrite=overwrite)  # again, now that nobody else writes
        self._place = self._now()
        if resume and self.started:
            self.begun = True
            self.sweep()
            return
        remove_known(self.path, self.known(self.manifest()))
        contents = {
            "inputs.json": json_text(inputs, self.inputs_file).encode(),
            "split.json": json_text(split, self.split_file).encode(),
            **({} if division is None else {"division.json": json_text(division, self.division_file).encode()}),
            "run.yaml": to_yaml(config).encode("utf-8", "surrogateescape"),  # last: with it the run has started
        }
        sealed = {name: digest_of(content) for name, content in contents.items()}
        write_manifest(self.path, Manifest(KIND, {**dict.fromkeys(FILES), **sealed}))
        self.begun = True
        for name, content in contents.items():
            self.write(self.path / name, content)

    def _now(self) -> tuple[int, int] | None:
        try:
            state = self.path.stat()
        except OSError:
            return None
        return state.st_dev, state.st_ino

    def write(self, path: Path, content: bytes | memoryview) -> None:
        """Write one of the run's files, whole.

        Raises:
            DaptError: the folder was removed or replaced since `begin`, or the file system refuses.
        """
        with self.staying():
            write_bytes(path, content, make_parents=False)
        self._written[path.relative_to(self.path).as_posix()] = digest_of(content)

    def append(self, path: Path, content: bytes, before: bytes) -> None:
        """Let one of the run's files, which holds `before`, grow; it is written whole where it holds less.

        Raises:
            DaptError: as `write`.
        """
        with self.staying():
            grown = append_bytes(path, content, len(before))
        if not grown:
            self.write(path, before + content)
        self._written[path.relative_to(self.path).as_posix()] = digest_of(before + content)

    @contextmanager
    def staying(self) -> Iterator[None]:
        """What is written meanwhile fails because the folder is gone, if it is: whatever the file system says.

        Raises:
            DaptError: as `check_there`.
        """
        self.check_there()
        try:
            yield
        except DaptError:
            self.check_there()
            raise

    def check_there(self) -> None:
        """Whether the folder is still the one that the run began in.

        Raises:
            DaptError: it is not.
        """
        if not self.is_there():
            raise DaptError(
                f"The run folder {self.path} was removed or replaced while the run was going on; it stops here.",
                todo="Start again.",
            )

    def is_there(self) -> bool:
        """Whether the folder is the one that the run began in; a folder not begun counts as being there."""
        return self._place is None or self._now() == self._place

    def write_metrics(self, lines: list[dict[str, Any]]) -> None:
        """Rewrite metrics.jsonl: one line per finished epoch."""
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
        self.write(self.metrics_file, text.encode())

    def write_log(self, lines: list[str]) -> None:
        """Rewrite log.txt."""
        self.write(self.log_file, "".join(line + "\n" for line in lines).encode("utf-8", "backslashreplace"))

    def read_metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl, one per finished epoch.

        Raises:
            DaptError: missing, changed or damaged.
        """
        check_sealed(self.path, self.manifest(), self.metrics_file.name)
        try:
            return [dict(parse_json(line)) for line in self.metrics_file.read_text(encoding="utf-8").splitlines()]
        except OSError as error:
            raise DaptError(f"Could not read {self.metrics_file}: {error.strerror or error}.") from error
        except (ValueError, TypeError, RecursionError) as error:
            raise DaptError(
                f"{self.metrics_file} is damaged: {error}.", todo="Train again with --overwrite."
            ) from error

    def complete(self, results: dict[str, Any]) -> None:
        """Seal all files, write results.json, with which the run is done, and remove the checkpoint."""
        content = json_text(results, self.results_file).encode()
        manifest = self.manifest() or Manifest(KIND)
        final = {**self._written, self.results_file.name: digest_of(content)}
        final.pop(self.checkpoint_file.name, None)
        manifest.files = {**dict.fromkeys(FILES), **manifest.files, **final}
        with self.staying():
            write_manifest(self.path, manifest)
        self.write(self.results_file, content)
        remove_file(self.checkpoint_file)

    def sweep(self) -> None:
        """Remove the parts that interrupted writes have left, and the checkpoint of a run that is done."""
        sweep(self.path, self.known(self.manifest()))
        if self.done:
            remove_file(self.checkpoint_file)

    def remove(self) -> None:
        """Remove the run, and its folder if that leaves it empty.

        Raises:
            ConfigError: the folder holds what dapt did not write, or another process uses it.
        """
        with self.lock:
            known = self.known(self.manifest())
            refuse_strangers(self.path, strangers(self.path, known))
            remove_known(self.path, known)
            remove_file(self.path / MANIFEST)
            remove_file(self.path / LOCK)
        if not any(self.path.iterdir()):
            remove_empty(self.path)

    def verify(self) -> None:
        """Whether every final file is as it was written.

        Raises:
            DaptError: naming the first that is not.
        """
        manifest = self.manifest()
        for name in manifest.files if manifest is not None else ():
            check_sealed(self.path, manifest, name)

    def _check_same(self, config: RunConfig, manifest: Manifest | None) -> None:
        check_sealed(self.path, manifest, self.config_file.name)
        found = read_yaml(self.config_file)
        before = without_later(found)
        now = without_later(self.going_on(config).model_dump(mode="json", exclude_none=True))
        changed = [key for key in sorted({*before, *now} - FREE_KEYS) if before.get(key) != now.get(key)]
        if changed:
            key, old, new = first_difference(changed[0], before.get(changed[0]), now.get(changed[0]))
            raise ConfigError(
                f"The run in {self.path} was started with {key}={old}, now it is {new}.",
                todo="Resume with the same settings, or pass --overwrite to start again.",
            )


def find_run(path: Path | str) -> RunFolder:
    """The completed run in a folder.

    Raises:
        ConfigError: there is none; names similar folders beside it.
        DaptError: its configuration or its prompts were changed, exchanged or damaged.
    """
    folder = RunFolder(Path(with_home(str(path))))
    if folder.path.is_dir() and not folder.config_file.is_file() and dassl_checkpoint(folder.path) is None:
        raise ConfigError(
            f"{folder.path} holds no finished run.",
            todo=runs_inside(folder.path) or "Give a folder made by dapt train.",
        )
    if folder.path.is_file() and folder.path.suffix == ".safetensors":
        raise ConfigError(
            f"{folder.path} is a file, not the folder of a run.",
            todo="Give the folder that dapt train made; of prompts alone dapt.load_model makes a model.",
        )
    find_prompts(folder.path)
    return folder


def read_results(folder: RunFolder) -> RunResults:
    """results.json of a run.

    Raises:
        DaptError: it is missing, changed or damaged.
    """
    check_sealed(folder.path, folder.manifest(), folder.results_file.name)
    return read_record(RunResults, folder.results_file)


def copy_run(source: Path, target: Path) -> None:
    """Copy a run to a new folder, without the note of who holds it.

    Raises:
        ConfigError: the target exists, or lies within a folder that dapt fills.
        DaptError: the file system refuses.
    """
    check_folder(target, todo="Choose another folder.")
    if target.exists():
        raise ConfigError(f"{target} exists.", todo="Choose a new folder.")
    try:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(".lock", ".owner.json", ".*.part"))
    except (OSError, shutil.Error) as error:
        raise DaptError(f"The run could not be copied to {target}: {error}.", todo="Choose another folder.") from error
