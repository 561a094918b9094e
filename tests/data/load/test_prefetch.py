"""Working ahead: the results of `map`, in order, at most so many early."""

from __future__ import annotations

import threading
import time

import pytest

from dapt.data.load.prefetch import AHEAD, in_threads, prefetch


@pytest.mark.parametrize("ahead", [1, 2, 100])
def test_equals_map(ahead: int) -> None:
    assert list(prefetch(lambda n: n * n, range(7), ahead)) == [0, 1, 4, 9, 16, 25, 36]
    assert list(prefetch(str, [], ahead)) == []


def test_not_ahead_at_all_is_still_map() -> None:
    assert list(prefetch(str, [1, 2], 0)) == ["1", "2"]


def test_keys_are_asked_for_as_results_are() -> None:
    asked: list[int] = []

    def keys():
        for key in range(100):
            asked.append(key)
            yield key

    results = prefetch(lambda key: key, keys())
    assert asked == []
    assert next(results) == 0
    assert len(asked) <= 1 + AHEAD
    assert next(results) == 1
    assert len(asked) <= 2 + AHEAD
    results.close()


def test_an_error_stands_in_the_place_of_its_result() -> None:
    def load(key: int) -> int:
        if key == 2:
            raise ValueError("third")
        return key

    results = prefetch(load, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="third"):
        next(results)
    assert list(results) == []


def test_the_work_is_done_in_one_other_thread_that_ends() -> None:
    names = list(prefetch(lambda key: threading.current_thread().name, range(4)))
    assert len(set(names)) == 1
    assert names[0] != threading.current_thread().name
    results = prefetch(lambda key: key, range(100))
    next(results)
    results.close()  # given up early
    for _ in range(100):
        if not any(thread.name.startswith("dapt-prefetch") for thread in threading.enumerate()):
            break
        time.sleep(0.02)
    assert not any(thread.name.startswith("dapt-prefetch") for thread in threading.enumerate())


def test_the_keys_of_a_batch_are_read_side_by_side() -> None:
    met = threading.Barrier(2, timeout=30)

    def read(key: int) -> int:
        met.wait()
        return key * key

    assert list(in_threads(read, [[1, 2], [], [3, 4]], 2)) == [[1, 4], [], [9, 16]]


def test_what_has_not_begun_is_left_when_batches_are_given_up() -> None:
    begun: list[int] = []

    def read(key: int) -> int:
        begun.append(key)
        time.sleep(0.01)
        return key

    reading = in_threads(read, [[0], range(1, 1000)], 1, 1)
    assert next(reading) == [0]
    reading.close()
    assert len(begun) < 100
    assert not [each for each in threading.enumerate() if each.name.startswith(("dapt-read", "dapt-prefetch"))]


def test_an_error_of_one_key_is_that_of_its_batch() -> None:
    reading = in_threads(lambda key: 1 // key, [[1, 1], [1, 0]], 2)
    assert next(reading) == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(reading)
