"""Few-shot samples against the published lists, and their invariants."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.data.fewshot import draw_by_content, groups_by_label, hold_out, sample_few_shot, split_off_validation
from dapt.data.subsets import base_and_novel, keep_classes
from helpers import SHARED, needs_shared

VECTORS = SHARED / "facts" / "fewshot_vectors.json"


def published() -> list[tuple[str, str]]:
    if not VECTORS.is_file():
        return []
    found = json.loads(VECTORS.read_text())["datasets"]
    splits = SHARED / "data" / "splits"
    return [
        (data, key) for data, cases in found.items() for key in cases if (splits / f"split_zhou_{data}.json").is_file()
    ]


@needs_shared
def test_all_split_files_are_covered() -> None:
    assert len({data for data, _ in published()}) >= 7
    assert len(published()) >= 42


@needs_shared
@pytest.mark.parametrize("data", sorted({data for data, _ in published()}))
def test_published_lists(data: str) -> None:
    split = json.loads((SHARED / "data" / "splits" / f"split_zhou_{data}.json").read_text())
    cases = json.loads(VECTORS.read_text())["datasets"][data]
    for key, expected in cases.items():
        shots, seed = (int(part.removeprefix("shots").removeprefix("seed")) for part in key.split("_"))
        labels = {name: [item[1] for item in split[name]] for name in ("train", "val")}
        train, val = sample_few_shot(labels["train"], labels["val"], shots, seed)
        paths = [split["train"][position][0] for position in train]
        assert len(train) == expected["n_train"], key
        assert len(val) == expected["n_val"], key
        # the published paths carry the image folder in some data sets and not in others
        assert [Path(path).name for path in paths[:3]] == [Path(path).name for path in expected["train_first3"]], key
        assert Path(paths[-1]).name == expected["train_last"], key
        assert train[:5] == expected["train_indices_first5"], key
        assert _digest(paths) == expected["train_sha256_of_basenames_joined_by_newline"], key
        val_paths = [split["val"][position][0] for position in val]
        assert _digest(val_paths) == expected["val_sha256_of_basenames_joined_by_newline"], key


def _digest(paths: list[str]) -> str:
    return hashlib.sha256("\n".join(Path(path).name for path in paths).encode()).hexdigest()


LABELS = st.lists(st.integers(0, 6), min_size=1, max_size=60)


@given(LABELS, LABELS, st.integers(1, 20), st.integers(0, 5))
def test_sampling_invariants(train_labels: list[int], val_labels: list[int], shots: int, seed: int) -> None:
    train, val = sample_few_shot(train_labels, val_labels, shots, seed)
    for labels, chosen, count in ((train_labels, train, shots), (val_labels, val, min(shots, 4))):
        assert len(set(chosen)) == len(chosen)
        for label, positions in groups_by_label(labels).items():
            assert sum(labels[p] == label for p in chosen) == min(count, len(positions))
    assert (train, val) == sample_few_shot(train_labels, val_labels, shots, seed)


def test_zero_shots_takes_everything() -> None:
    assert sample_few_shot([0, 1, 1], [0], 0, 1) == ([0, 1, 2], [0])


@given(LABELS, st.floats(0, 1), st.integers(0, 5))
def test_validation_split_invariants(labels: list[int], fraction: float, seed: int) -> None:
    train, val = split_off_validation(labels, fraction, seed)
    assert sorted(train + val) == list(range(len(labels)))
    for label, positions in groups_by_label(labels).items():
        assert sum(labels[p] == label for p in val) == round(fraction * len(positions))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_base_and_novel(labels: list[int]) -> None:
    base, novel = base_and_novel(labels)
    assert base + novel == sorted(set(labels))
    assert len(base) - len(novel) in (0, 1)
    positions, renumbered = keep_classes(labels, base)
    assert all(base[new] == labels[p] for p, new in zip(positions, renumbered, strict=True))


@given(
    labels=st.lists(st.sampled_from("abc"), min_size=1, max_size=40), shots=st.integers(0, 6), seed=st.integers(0, 9)
)
def test_held_out_images_are_not_trained_on(labels: list[str], shots: int, seed: int) -> None:
    drawn, _ = sample_few_shot(labels, [], shots, seed)
    train, val = hold_out(labels, drawn, shots, seed)
    assert (train, val) == hold_out(labels, drawn, shots, seed)
    assert not set(train) & set(val)
    assert len(set(val)) == len(val)
    if not shots:
        assert sorted(train + val) == list(range(len(labels)))
        return
    assert train == drawn
    for label in set(labels):
        left = labels.count(label) - sum(labels[position] == label for position in drawn)
        assert sum(labels[position] == label for position in val) == min(left, shots, 4)


def test_drawn_by_content_others_replace_at_most_one() -> None:
    labels, contents = ["a"] * 9 + ["b"] * 3, [f"content {number}" for number in range(12)]
    drawn = draw_by_content(labels, contents, 4, seed=1)
    assert Counter(labels[position] for position in drawn) == {"a": 4, "b": 3}
    assert drawn != draw_by_content(labels, contents, 4, seed=2)
    more = draw_by_content([*labels, "a"], [*contents, "new"], 4, seed=1)
    assert len(set(drawn) - set(more)) <= 1
    assert draw_by_content(labels, contents, 0, seed=1) == list(range(12))
