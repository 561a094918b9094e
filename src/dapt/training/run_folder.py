"""The folder of a run: what is in it, when it may be used, and writing into it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from dapt.config import RunConfig, read_yaml, to_yaml
from dapt.errors import ConfigError, DaptError, did_you_mean
from dapt.files import read_json, write_json, write_text

# Keys that may change between the first start and a resume without changing the results.
FREE_KEYS = {"out", "workers", "cache_mb", "device", "eval_batch_size"}


def default_folder(config: RunConfig) -> Path:
    """``runs/<data>-<method>[+dapt]-<shots>shot[-base][-<selector><fraction>]-seed<seed>``."""
    return Path("runs") / f"{data_name(config.data)}-{run_name(config)}-seed{config.seed}"


def data_name(data: str) -> str:
    """A short name of DATA that can be part of a file name."""
    path = Path(data.removeprefix("hf:").partition("?")[0])
    if path.name == "index.csv":
        path = path.parent
    stem = path.resolve().name.removesuffix(".csv")
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem)


def run_name(config: RunConfig) -> str:
    """What distinguishes a run from others on the same data with the same seed, short, for file names."""
    method = config.method + ("+dapt" if config.dapt.enabled else "")
    shots = f"{config.shots}shot" if config.shots else "all"
    subset = "-base" if config.subset == "base" else ""
    chosen = f"-{config.select}{config.fraction:g}" if config.select else ""
    return f"{method}-{shots}{subset}{chosen}"


class RunFolder:
    """Paths and files of one run.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_file = path / "run.yaml"
        self.metrics_file = path / "metrics.jsonl"
        self.results_file = path / "results.json"
        self.prompts_file = path / "prompts.safetensors"
        self.checkpoint_file = path / "last.ckpt"
        self.split_file = path / "split.json"
        self.log_file = path / "log.txt"

    @property
    def done(self) -> bool:
        """Whether the run has completed."""
        return self.results_file.is_file() and self.prompts_file.is_file()

    def check(self, config: RunConfig, *, resume: bool, overwrite: bool) -> None:
        """Whether the folder may be used for `config`; changes nothing.

        Raises:
            ConfigError: it exists and neither resume nor overwrite was asked for, or it holds another run.
        """
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise ConfigError(f"{self.path} is a file, not a folder.", todo="Choose another --out.")
        if not any(self.path.iterdir()):
            return
        if overwrite and not self.config_file.is_file():
            raise ConfigError(
                f"{self.path} is not a run folder, so --overwrite leaves it alone.",
                todo="Choose another --out.",
            )
        if resume:
            self._check_same(config)
        elif not overwrite:
            raise ConfigError(
                f"The output folder {self.path} exists.",
                todo="Pass --resume to go on with it, --overwrite to start again, or another --out.",
            )

    def open(self, config: RunConfig, *, overwrite: bool) -> None:
        """Make the folder, empty when `overwrite`, and write run.yaml. Call `check` first.

        Raises:
            DaptError: the file system refuses.
        """
        try:
            if overwrite and self.path.exists():
                shutil.rmtree(self.path)
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DaptError(f"The folder {self.path} cannot be made: {error.strerror}.") from error
        write_text(self.config_file, to_yaml(config))

    def _check_same(self, config: RunConfig) -> None:
        if not self.config_file.is_file():
            raise ConfigError(
                f"{self.path} holds no run to resume (no run.yaml).",
                todo="Choose another --out, or an empty folder.",
            )
        before = read_yaml(self.config_file)
        now = config.model_dump(mode="json", exclude_none=True)
        changed = [key for key in sorted({*before, *now} - FREE_KEYS) if before.get(key) != now.get(key)]
        if changed:
            key = changed[0]
            raise ConfigError(
                f"The run in {self.path} was started with {key}={before.get(key)}, now it is {now.get(key)}.",
                todo="Resume with the same settings, or pass --overwrite to start again.",
            )

    def write_metrics(self, lines: list[dict[str, Any]]) -> None:
        """Rewrite metrics.jsonl: one line per finished epoch."""
        write_text(self.metrics_file, "".join(json.dumps(line) + "\n" for line in lines))

    def write_results(self, results: dict[str, Any]) -> None:
        """Write results.json."""
        write_json(self.results_file, results)

    def write_log(self, lines: list[str]) -> None:
        """Add lines to log.txt."""
        before = self.log_file.read_text(encoding="utf-8") if self.log_file.is_file() else ""
        write_text(self.log_file, before + "".join(line + "\n" for line in lines))


def find_run(path: Path | str) -> RunFolder:
    """The completed run in a folder.

    Raises:
        ConfigError: there is none; names similar folders beside it.
    """
    folder = RunFolder(Path(path))
    if not folder.path.is_dir():
        parent = folder.path.parent
        beside = [other.name for other in parent.iterdir() if other.is_dir()] if parent.is_dir() else []
        raise ConfigError(f"There is no run {folder.path}.", todo=did_you_mean(folder.path.name, beside))
    if not folder.config_file.is_file() or not folder.prompts_file.is_file():
        unfinished = folder.config_file.is_file()
        raise ConfigError(
            f"{folder.path} holds no finished run.",
            todo="Finish it with dapt train ... --resume." if unfinished else "Give a folder made by dapt train.",
        )
    return folder


def read_results(folder: RunFolder) -> dict[str, Any]:
    """results.json of a run."""
    return dict(read_json(folder.results_file))
