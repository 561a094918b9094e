"""Checksums of content: equal content has one, and every difference another."""

from __future__ import annotations

import hashlib

import torch

from dapt.digests import content_digest


def test_of_a_plain_value_it_is_the_sum_of_its_text() -> None:
    assert content_digest("red") == hashlib.sha256(b"'red'\n").hexdigest()


def test_what_does_not_matter() -> None:
    grown = torch.arange(6.0).view(2, 3)
    turned = torch.tensor([[0.0, 3], [1, 4], [2, 5]]).t()  # the same numbers, in another order in memory
    assert not turned.is_contiguous()
    assert content_digest({"a": grown, "b": 1}) == content_digest({"b": 1, "a": turned})
    assert content_digest(grown.requires_grad_()) == content_digest(turned)
    assert content_digest([1, 2]) == content_digest((1, 2))
    assert content_digest({1: "x", "1": "y"}) == content_digest({"1": "y", 1: "x"})  # keys of several kinds


def test_every_difference_matters() -> None:
    values = [
        torch.zeros(2),
        torch.zeros(2, dtype=torch.bfloat16),
        torch.zeros(2, 1),
        torch.zeros(1, 2),
        torch.tensor([0.0, -0.0]),
        torch.zeros(0),
        [],
        [[]],
        {},
        None,
        0,
        0.0,
        False,
        "0",
        "",
        [1, [2]],
        [[1], 2],
        [1, 2],
        {"a": 1},
        {"a": "1"},
        {"a": {"b": 1}},
        {"a": {}, "b": 1},
        {1: 1},
        {"1": 1},
        b"0",
    ]
    assert len({content_digest(value) for value in values}) == len(values)


def test_scalars_and_texts_that_are_no_unicode() -> None:
    assert content_digest(torch.tensor(1.5)) != content_digest(torch.tensor([1.5]))
    assert content_digest("caf\udce9") != content_digest("café")
