"""Calls to trackers: in order, apart from the training, whatever they raise."""

from __future__ import annotations

import threading

import pytest

from dapt.tracking.delivery import LONGEST, Delivery


def test_calls_are_made_in_order_by_another_thread() -> None:
    delivery, seen = Delivery("x"), []
    for number in range(50):
        delivery.put(lambda number=number: seen.append((number, threading.current_thread().name)))
    assert delivery.wait(10)
    assert [number for number, _ in seen] == list(range(50))
    assert {name for _, name in seen} == {"dapt-x"}
    assert (delivery.failures, delivery.first) == (0, "")


@pytest.mark.parametrize("error", [OSError("no disk\nmore"), SystemExit("no disk"), KeyboardInterrupt("no disk")])
def test_what_fails_is_counted_and_the_rest_goes_on(error: BaseException) -> None:
    delivery, seen = Delivery("x"), []

    def fail() -> None:
        raise error

    delivery.put(fail)
    delivery.put(fail)
    delivery.put(lambda: seen.append(1))
    assert delivery.wait(10)
    assert (delivery.failures, delivery.first, seen) == (2, f"{type(error).__name__}: no disk", [1])


def test_without_its_start_nothing_is_called_and_all_is_counted() -> None:
    delivery, seen = Delivery("x"), []

    def fail() -> None:
        raise ValueError("a" * 1000)

    delivery.put(fail, needed=True)
    delivery.put(lambda: seen.append(1))
    assert delivery.wait(10)
    assert (delivery.failures, seen) == (2, [])
    assert len(delivery.first) == LONGEST


def test_a_call_that_hangs_is_not_waited_for() -> None:
    delivery, free = Delivery("x"), threading.Event()
    delivery.put(free.wait)  # type: ignore[arg-type]
    assert not delivery.wait(0.05)
    free.set()
    assert delivery.wait(10)
    delivery.close()
