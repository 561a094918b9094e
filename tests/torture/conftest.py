"""Fixtures of the torture, and the table of what it did."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scale import LONG
from scenes import Stage, evaluation, masks, protocol, set_stage, train
from shapes import pages
from warm import Warm

from web import serve

MEMORY = Path("/dev/shm")  # a file system in memory: a sync costs nothing, and what is synced is seen by the watch


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A folder in memory, or else on the disk."""
    folder = Path(tempfile.mkdtemp(prefix="dapt-torture-", dir=MEMORY if MEMORY.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def stage(ground: Path) -> Iterator[Stage]:
    """Data, model and server."""
    with serve() as web:
        web.pages = pages()
        made = set_stage(ground / "stage")
        made.web = web.address
        yield made


@pytest.fixture(scope="session")
def warm(ground: Path, stage: Stage) -> Iterator[Warm]:
    """The process that runs commands."""
    process = _started(ground / "warm", stage)
    yield process
    process.close()


@pytest.fixture(scope="module")
def other(ground: Path, stage: Stage) -> Iterator[Warm]:
    """Another one, for what happens at the same time."""
    process = _started(ground / "other", stage)
    yield process
    process.close()
    shutil.rmtree(ground / "other")


def _started(folder: Path, stage: Stage) -> Warm:
    folder.mkdir()
    process = Warm(folder, [stage.model, "demo"])
    for command in (train, evaluation, None, masks, None, protocol, None):
        if command is None:
            stage.clear()
        else:
            process.run(*command(stage), modules=True)  # so that it knows what to import
    return process


@pytest.hookimpl(tryfirst=True)  # before what is not wanted is left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.long)


Tell = Callable[[str, int, str], None]


@pytest.fixture
def tell(record_property) -> Tell:
    """Note for the table, at the end of a test: what was tried, how many cases, anything more to say."""
    start = time.perf_counter()

    def note(what: str, count: int, more: str = "") -> None:
        record_property("torture", (what, count, more, time.perf_counter() - start))

    return note


def pytest_terminal_summary(terminalreporter) -> None:
    rows = [
        (*value, report.passed)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == "torture"
    ]
    if not rows:
        return
    terminalreporter.section(f"torture, {'long' if LONG else 'short'} form")
    line = "{:<52}{:>7}{:>9}  {}"
    terminalreporter.write_line(line.format("what", "cases", "seconds", "").rstrip())
    for what, count, more, seconds, passed in sorted(rows):
        text = line.format(what, count, f"{seconds:.0f}", more if passed else f"FAILED {more}")
        terminalreporter.write_line(text.rstrip())
    total = line.format("in all", sum(row[1] for row in rows), f"{sum(row[3] for row in rows):.0f}", "")
    terminalreporter.write_line(total.rstrip())
