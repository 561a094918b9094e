"""A warm process that forks a child for every command, so that a command costs what it does and not seconds of imports.

As a program: reads one JSON object per line from standard input, answers with one per line on standard output. From
tests: `Warm`.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIMIT_S = 120.0  # on a busy machine; a command takes a second or two


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: exit code; minus the signal that ended it. hung: it was still running at the limit. output: standard
            output and error together. seen: operations on files below the watched folders, ``[kind, path, ...]``.
            new: numbers of those before which the files were others than before the preceding one, or half written.
            outside: changes elsewhere. failed: files whose operation was made to fail.
    """

    code: int
    hung: bool
    output: str
    seen: list[list[str]] = field(default_factory=list)
    new: list[int] = field(default_factory=list)
    outside: list[list[str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        """Whether it was ended by SIGKILL, and not because it hung."""
        return self.code == -signal.SIGKILL and not self.hung


class Warm:
    """The warm process, as its user sees it.

    Args:
        folder: for outputs and records. models: specifications of backbones that are loaded beforehand.
    """

    def __init__(self, folder: Path, models: list[str]) -> None:
        self._folder = folder
        self._number = 0
        # Without a GPU: its driver and autograd's threads for it do not survive a fork.
        alone = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
        environment = {**os.environ, **alone, "PYTHONPATH": os.pathsep.join(map(str, sys.path)), "COLUMNS": "200"}
        environment["no_proxy"] = "127.0.0.1"
        command = [sys.executable, str(HERE / "warm.py"), *models]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
        )

    def run(self, *arguments: object, **more: Any) -> Ended:
        """Run the command line in a child; the arguments are those of `begin`."""
        self.begin(*arguments, **more)
        return self.end()

    def begin(
        self,
        *arguments: object,
        watch: dict[str, Any] | None = None,
        kill_after: float | None = None,
        setup: list[str] | None = None,
        modules: bool = False,
    ) -> None:
        """Start the command line in a child; `end` has to be called before another one is started.

        Args:
            watch: arguments of `Watch`; what it saw comes back unless the child was killed. kill_after: SIGKILL after
                so many seconds. setup: ``module:function`` to call first, and its arguments. modules: import here what
                the child has imported, so that the next ones need not.
        """
        self._number += 1
        output, record = self._files()
        asked = {
            "arguments": [str(each) for each in arguments],
            "watch": None if watch is None else {**watch, "record": str(record)},
            "output": str(output),
            "kill_after": kill_after,
            "setup": setup,
            "modules": modules,
            "limit": LIMIT_S,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()

    def _files(self) -> tuple[Path, Path]:
        return self._folder / f"output-{self._number}", self._folder / f"record-{self._number}"

    def end(self) -> Ended:
        """Wait for the child that was started."""
        output, record = self._files()
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        assert answer, "the warm process has ended"
        found = json.loads(answer)
        text = output.read_text(errors="replace") if output.exists() else ""  # killed before its first step
        seen = json.loads(record.read_text()) if record.exists() else {}
        output.unlink(missing_ok=True)
        record.unlink(missing_ok=True)
        return Ended(found["code"], found["hung"], text, **seen)

    def close(self) -> None:
        """End the warm process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def serve() -> None:
    """Answer requests until standard input ends."""
    import torch

    torch.set_num_threads(1)
    _warm_up()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        asked = json.loads(line)
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            _child(asked)
        code, hung = _wait(child, start, asked["limit"], asked["kill_after"])
        listed = Path(asked["output"] + ".modules")
        if listed.exists():
            _import(json.loads(listed.read_text()))
            listed.unlink()
        print(json.dumps({"code": code, "hung": hung}), file=answers, flush=True)


def _warm_up() -> None:
    """What every command needs and what takes long to make: it is made here once, and every child has its own copy."""
    import functools

    import open_clip

    import dapt.cli.app
    import dapt.runs.load_inputs

    assert dapt.cli.app
    made = open_clip.get_tokenizer
    loaded = dapt.runs.load_inputs.load_clip

    @functools.cache
    def load(spec: str, **options: Any) -> Any:
        return loaded(spec, **options)

    def load_again(spec: str, *, device: Any = "cpu", precision: str = "32") -> Any:
        return load(spec, device=str(device), precision=precision)

    @functools.cache
    def tokenizer(name: str, **options: Any) -> Any:
        return made(name, **options)

    open_clip.get_tokenizer = tokenizer
    for spec in sys.argv[1:]:
        load_again(spec)
    for module in (
        "dapt.runs.load_inputs",
        "dapt.runs.execute",
        "dapt.runs.load_run",
        "dapt.runs.write_masks",
        "dapt.runs.select_file",
    ):
        importlib.import_module(module).load_clip = load_again  # type: ignore[attr-defined]


def _import(names: list[str]) -> None:
    for name in names:
        if name not in sys.modules:
            try:
                importlib.import_module(name)
            except Exception as error:  # a part of a package that cannot stand alone is imported by the child
                print(f"not imported beforehand: {name} ({error})", file=sys.stderr)


def _child(asked: dict[str, Any]) -> None:
    """The forked process; does not return."""
    code = 1
    try:
        handle = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        for stream in (1, 2):
            os.dup2(handle, stream)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        if asked["setup"]:
            name, *given = asked["setup"]
            module, _, function = name.partition(":")
            getattr(importlib.import_module(module), function)(*given)
        from operations import Watch

        from dapt.cli.app import run

        watch = Watch(**asked["watch"]) if asked["watch"] is not None else None
        if watch is not None:
            watch.start()
        code = run(asked["arguments"])
        if watch is not None:
            watch.finish()
        if asked["modules"]:
            Path(asked["output"] + ".modules").write_text(json.dumps(sorted(sys.modules)))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, start: float, limit: float, kill_after: float | None) -> tuple[int, bool]:
    """Exit code, or minus the signal; and whether the child had to be ended."""
    while True:
        done, state = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(state), False
        passed = time.monotonic() - start
        if passed > limit or (kill_after is not None and passed > kill_after):
            os.kill(child, signal.SIGKILL)
            _, state = os.waitpid(child, 0)
            return os.waitstatus_to_exitcode(state), kill_after is None
        time.sleep(0.001)


if __name__ == "__main__":
    serve()
