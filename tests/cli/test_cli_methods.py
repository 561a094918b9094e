"""`dapt methods`: the list, and the card of one."""

from __future__ import annotations

import pytest

from dapt.methods.base import METHODS


def test_the_list_has_every_method_once(dapt) -> None:
    code, out, _ = dapt("methods", "list")
    assert code == 0
    first = [line.split()[0] for line in out.splitlines() if line.split()]
    assert all(first.count(name) == 1 for name in METHODS.names())


def test_the_card_counts_for_the_backbone_and_classes(dapt) -> None:
    code, few, err = dapt("methods", "info", "coop.csc", "--model", "RN50", "--num-classes", 3)
    assert code == 0, err
    assert "RN50" in few
    # 16 vectors of 512 numbers for each of three classes
    assert f"{3 * 16 * 512:,}" in few


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "mapel"], "Did you mean 'maple'"),
        (["info", "maple", "--num-classes", "0"], "--num-classes"),
        (["info"], "Missing argument"),
        (["info", "maple", "--model", "ViT-B-17"], "ViT-B-17"),
    ],
)
def test_mistakes(dapt, arguments: list[str], message: str) -> None:
    code, out, err = dapt("methods", *arguments)
    assert (code, out) == (2, "")
    assert message in err
