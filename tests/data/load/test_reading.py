"""Whose word counts on how images are read: an option, then the model, then the last run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dapt.data.load.reading import Reading, current, use_bits, use_matte, use_reading


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    use_matte(None)
    use_bits(None)


def test_whose_word_counts() -> None:
    assert current() == Reading("white", None)
    use_reading(Reading("black", 12))
    assert current() == Reading("black", 12)
    assert current(Reading("#010203")) == Reading("#010203")
    use_matte("white")
    assert current(Reading("#010203", 10)) == Reading("white", 10)
    use_bits(14)
    assert current(Reading("#010203", 10)) == Reading("white", 14)
    use_matte(None)
    use_bits(None)
    assert current() == Reading("white", None), "what the last run said is over with a new command"
