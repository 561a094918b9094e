"""Trees of photographs."""

from __future__ import annotations

from dapt.data.read.kinds import RAW
from dapt.data.read.nodes import place, tree_of
from dapt.wording import some


def test_a_tree_of_names() -> None:
    top = tree_of(["a/2.jpg", "a/b/1.jpg"], ["a", "a/b", "c", "d"], [("c/x.txt", "texts"), ("d/1.nef", RAW)])
    assert list(top.filled) == ["a"]
    assert top.all() == ["a/2.jpg", "a/b/1.jpg"]
    assert (top.folders["c"].other, top.folders["c"].unread) == (True, "")
    assert (top.folders["d"].unread, top.folders["d"].any) == (RAW, False)


def test_words() -> None:
    assert (place("photos/", "a"), place("photos", "")) == ("photos/a", "photos")
    assert some(["a", "b", "c", "d"]) == "a, b, c and 1 more"
