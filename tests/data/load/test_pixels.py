"""The limit of pixels, and the room in which pictures are decoded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from dapt.data.load import pixels
from dapt.data.load.notes import say_notes
from dapt.data.load.pixels import (
    decoding,
    max_megapixels,
    note_reduced,
    take_room,
    use_option,
    use_setting,
    without_pillow_limit,
)
from dapt.limits import MAX_MEGAPIXELS, PIXELS_AT_A_TIME


@pytest.fixture(autouse=True)
def no_limit_is_left() -> Iterator[None]:
    yield
    use_option(None)


def test_an_option_goes_before_a_setting_and_each_command_begins_anew() -> None:
    use_option(None)
    assert max_megapixels() == MAX_MEGAPIXELS
    use_setting(5)
    assert max_megapixels() == 5
    use_option(7)
    assert max_megapixels() == 7
    use_setting(3)
    assert max_megapixels() == 7
    use_option(None)
    assert max_megapixels() == MAX_MEGAPIXELS


def test_room_is_taken_once_and_within_decoding() -> None:
    with pytest.raises(RuntimeError, match="outside of decoding"):
        take_room(1)
    with decoding():
        take_room(PIXELS_AT_A_TIME)
        with decoding():  # an inner one does not wait for the outer one's room
            take_room(PIXELS_AT_A_TIME)
    with suppress(ValueError), decoding():
        take_room(PIXELS_AT_A_TIME)
        raise ValueError
    with decoding():
        take_room(PIXELS_AT_A_TIME)  # was given back


def test_a_second_thread_waits_for_room() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def other() -> None:
        with decoding():
            take_room(PIXELS_AT_A_TIME // 2 + 1)
            inside.set()
            go_on.wait(5)

    with decoding():
        take_room(PIXELS_AT_A_TIME // 2)
        thread = threading.Thread(target=other)
        thread.start()
        assert not inside.wait(0.05)
    assert inside.wait(5)
    go_on.set()
    thread.join(5)


def test_a_picture_larger_than_all_room_is_let_in_alone() -> None:
    done = threading.Event()

    def large() -> None:
        with decoding():
            take_room(10 * PIXELS_AT_A_TIME)
            done.set()

    threading.Thread(target=large).start()
    assert done.wait(5)


def test_pillows_limit_comes_back_when_the_last_one_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 123)
    with without_pillow_limit:
        assert Image.MAX_IMAGE_PIXELS is None
        with without_pillow_limit:
            assert Image.MAX_IMAGE_PIXELS is None
        assert Image.MAX_IMAGE_PIXELS is None
    assert Image.MAX_IMAGE_PIXELS == 123


def test_reduced_pictures_are_told_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say_notes()  # those of other tests
    capsys.readouterr()
    use_setting(120)
    note_reduced(tmp_path / "b.jpg", (20000, 10000), 4)
    note_reduced(tmp_path / "a.jpg", (20000, 10000), 2)
    note_reduced(tmp_path / "a.jpg", (20000, 10000), 2)
    say_notes()
    said = capsys.readouterr().err
    assert "2 JPEGs have more than 120 million pixels" in said
    assert f"the first: {tmp_path / 'a.jpg'} (20000 x 10000, read at one half)" in said.replace("\n", " ")
    note_reduced(tmp_path / "a.jpg", (20000, 10000), 2)
    say_notes()
    assert capsys.readouterr().err == ""
    assert pixels.max_megapixels() == 120
