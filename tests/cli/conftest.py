"""Catching the one library call that a command makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[tuple[Any, ...], dict[str, Any]]]]:
    """Put a stand-in in the place of a public function; returns the list that its calls are noted in."""

    def catch(function: str, result: Any = None) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

        def stand_in(*given: Any, **named: Any) -> Any:
            calls.append((given, named))
            return result

        monkeypatch.setattr(function, stand_in)
        return calls

    return catch
