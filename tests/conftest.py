"""Options and fixtures shared by all tests."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Machines differ in speed; a slow example is no failure.
settings.register_profile("dapt", deadline=None)
settings.load_profile("dapt")

# Masks that runs keep do not go into the cache of whoever runs the tests.
if "DAPT_MASKS" not in os.environ:
    os.environ["DAPT_MASKS"] = tempfile.mkdtemp(prefix="dapt-masks-")
    atexit.register(shutil.rmtree, os.environ["DAPT_MASKS"], ignore_errors=True)

# Which library multiplies is a clock's decision elsewhere: tests keep to one, and measure nothing.
os.environ.setdefault("DAPT_LINEAR", "onednn")

sys.path.insert(0, str(Path(__file__).parent / "parity"))
sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--parity-dir", default=None, help="folder of parity fixtures (default: tests/parity/fixtures)")
    parser.addoption(
        "--device",
        default=None,
        help="run the tests that hold a device against the CPU, and no others, on this one: cuda, cuda:N "
        "(or cpu: against itself, to try the tests)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--device") is None:
        return
    chosen = [item for item in items if item.get_closest_marker("device")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen


@pytest.fixture(scope="session", autouse=True)
def vocabularies() -> Iterator[None]:
    """open_clip's vocabulary of 49,408 words is read once, not for each of thousands of tiny models."""
    from shared_vocabulary import vocabularies_kept

    with vocabularies_kept():
        yield


@pytest.fixture(scope="session", autouse=True)
def unsynced() -> Iterator[None]:
    """No test waits for the disk: nothing here shall outlive the machine, and what is synced is watched by its call."""
    usual, os.fsync = os.fsync, lambda handle: None
    yield
    os.fsync = usual


@pytest.fixture(scope="session", autouse=True)
def by_positions() -> Iterator[None]:
    """Folders without splits are divided by positions, which gives every class known numbers; see `by_content`."""
    from dapt import split_rule

    usual, split_rule.USUAL = split_rule.USUAL, "positions"
    yield
    split_rule.USUAL = usual


@pytest.fixture
def by_content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Folders without splits are divided as users find them divided: by the content of the images."""
    from dapt import split_rule

    monkeypatch.setattr(split_rule, "USUAL", "hash")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """No test silences those after it: `--quiet` is a setting of the process."""
    from dapt.console import set_quiet

    yield
    set_quiet(False)


@pytest.fixture(autouse=True)
def unplugged() -> Iterator[None]:
    """No test leaves a plugin to those after it: what a process has loaded is sent to nodes and kept in runs."""
    from helpers import loaded_plugins, unload_plugins

    before = loaded_plugins()
    yield
    unload_plugins(keep=before)


@pytest.fixture(scope="session")
def tiny_spec(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny model on disk, as a specification."""
    from helpers import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("tiny-clip"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A small folder data set."""
    from helpers import make_folder

    return make_folder(tmp_path / "photos")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A small CSV data set with masks and groups."""
    from helpers import make_csv

    return make_csv(tmp_path / "table", groups=True)


@pytest.fixture
def dapt(capsys: pytest.CaptureFixture[str]):
    """The command line, in this process: returns exit code, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        from dapt.cli.app import run
        from dapt.console import set_quiet

        capsys.readouterr()
        try:
            code = run([str(argument) for argument in arguments])
        finally:
            set_quiet(False)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
