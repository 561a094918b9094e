"""What a pickle holds is found out without running it."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import pytest
import torch

from dapt.clip.pickled import look_into


class Evil:
    """Its pickle makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path(self.path).touch, ())


@pytest.mark.parametrize("new", [True, False])
def test_names_sizes_and_nothing_else(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "w.pt"
    shared = torch.zeros(3, 4)
    content = {
        "state_dict": {"a.weight": shared, "b": shared[0]},
        "half": torch.zeros(5, dtype=torch.float16),
        "epoch": 3,
    }
    torch.save(content, path, _use_new_zipfile_serialization=new)
    found = look_into(path)
    assert found is not None
    assert set(found.names()) == {"state_dict", "a.weight", "b", "half", "epoch"}
    assert found.asked == []
    assert found.data_bytes == 3 * 4 * 4 + 5 * 2, "what two tensors share is there once"


@pytest.mark.parametrize("new", [True, False])
def test_objects_are_named_and_not_made(tmp_path: Path, new: bool) -> None:
    path, made = tmp_path / "w.pt", tmp_path / "executed"
    given = {"args": argparse.Namespace(lr=1.0), "evil": Evil(made), "state_dict": {"w": torch.zeros(2)}}
    torch.save(given, path, _use_new_zipfile_serialization=new)
    found = look_into(path)
    assert found is not None
    assert "argparse.Namespace" in found.asked
    assert any("getattr" in name or "Path" in name for name in found.asked)
    assert "w" in found.names()
    assert not made.exists()


def test_the_beginning_of_a_file_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"w": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:1500])
    found = look_into(path)
    assert found is not None
    assert found.names() == ["w"]
    assert found.data_bytes == 4000


def test_what_is_none_or_goes_round_in_circles(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    for content in (b"", b"PK\x03\x04", b"\x80\x02", b"no pickle", b"PK\x03\x04" + bytes(100)):
        path.write_bytes(content)
        assert look_into(path) is None
    assert look_into(tmp_path / "none") is None
    round_again: list[object] = []
    round_again += [round_again] * 50 + [{"a": round_again}]
    path.write_bytes(pickle.dumps([round_again] * 50, protocol=2))
    found = look_into(path)
    assert found is None or found.names() in (["a"], [])
