"""What is asked of a finished run, and how figures are known by it."""

from __future__ import annotations

import pytest

from dapt.config import make_config
from dapt.data.load import draft
from dapt.data.load.pixels import use_option
from dapt.data.load.reading import use_bits, use_matte
from dapt.runs.evaluation_request import Request, noted_classes, reading_asked, same_data, what_was_asked


def test_what_a_request_means() -> None:
    class Base:
        data, subset, skip_bad = "birds", "base", True

    own, other = Request(), Request(data="cats")
    assert (own.own, own.place(Base), own.halves(Base), own.skips(Base)) == (True, "birds", True, True)
    assert (other.own, other.place(Base), other.halves(Base), other.skips(Base)) == (False, "cats", False, False)
    assert not Request(classes="all").halves(Base)
    assert Request(data="cats", skip_bad=True).skips(Base)


@pytest.fixture(autouse=True)
def _no_options():
    yield
    use_matte(None)
    use_bits(None)
    use_option(None)


def test_only_a_reading_that_differs_is_noted() -> None:
    config = make_config({"data": "birds", "method": "coop", "bits": 12})
    assert not any(reading_asked(config).values())
    use_matte("white")
    use_bits(12)
    assert not any(reading_asked(config).values())
    use_matte("black")
    use_bits(16)
    use_option(5)
    draft.use_option(True)
    assert reading_asked(config) == {"matte": "black", "bits": "16", "draft": "on", "max_pixels": "5"}
    draft.use_option(None)


def test_classes_and_places(tmp_path) -> None:
    assert noted_classes(Request(data="cats")) == "trained"
    assert noted_classes(Request(data="cats", classes="data")) is None
    assert what_was_asked(None, matte=None, bits="12", own_split=False) == {"bits": "12"}
    assert same_data(str(tmp_path), f"{tmp_path}/")
    assert not same_data(str(tmp_path), str(tmp_path / "other"))
