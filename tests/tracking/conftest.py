"""Fixtures of the tests of trackers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def recorder() -> Iterator[type]:
    """A tracker called ``recorder``, which writes down what it is told."""
    from recorder import Recorder, registered

    kind: type[Recorder] = registered()
    yield kind
    from dapt.tracking.base import TRACKERS

    TRACKERS._values.pop("recorder", None)
