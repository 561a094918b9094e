"""Parts of a job that share its images without talking."""

from __future__ import annotations

import pytest

from dapt.errors import ConfigError
from dapt.runs.shard import Shard, shard_from


def test_every_image_is_in_one_shard_and_none_is_empty() -> None:
    names = [f"class/{number}.jpg" for number in range(400)]
    parts = [{name for name in names if Shard(number, 8).holds(name)} for number in range(1, 9)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 400
    assert min(map(len, parts)) > 25
    assert Shard(1, 8).of("class/0.jpg") == 3, "the same on every machine and in every version"
    assert all(Shard().holds(name) for name in names)


def test_how_they_are_written() -> None:
    assert shard_from(" 3/8") == Shard(3, 8)
    assert str(Shard(3, 8)) == "3/8"
    assert shard_from(None).whole
    assert not Shard(1, 2).whole


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "a/b", "-1/8", "1/0", "1/1000000000"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ConfigError, match="Write 3/8"):
        shard_from(text)
