"""Few-shot samples at their edges, and the exact division of data without splits of its own."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dapt.data.fewshot import groups_by_label, sample_few_shot, split_off_validation
from dapt.data.items import Item
from dapt.data.read.folder import divide
from dapt.data.subsets import base_and_novel, keep_classes


def test_exactly_as_many_images_as_shots_are_drawn_too() -> None:
    """The published lists draw them, in the order of the draw; that also moves the generator on for the next class."""
    labels = [0, 0, 0, 1, 1, 1, 1]
    drawn = random.Random(2)
    expected = [*drawn.sample([0, 1, 2], 3), *drawn.sample([3, 4, 5, 6], 3)]
    assert expected[:3] != [0, 1, 2]
    assert sample_few_shot(labels, [], 3, 2) == (expected, [])


def test_fewer_images_than_shots_are_taken_as_they_are() -> None:
    labels = [0, 0, 1, 1, 1, 1]
    drawn = random.Random(1)
    assert sample_few_shot(labels, [], 3, 1) == ([0, 1, *drawn.sample([2, 3, 4, 5], 3)], [])


@pytest.mark.parametrize(("shots", "val_shots"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (8, 4), (16, 4)])
def test_validation_follows_with_four_at_most(shots: int, val_shots: int) -> None:
    train, val = [0] * 20 + [1] * 20, [1] * 6 + [0] * 4
    drawn = random.Random(7)
    expected = [*drawn.sample(list(range(20)), shots), *drawn.sample(list(range(20, 40)), shots)]
    expected_val = [*drawn.sample(list(range(6)), val_shots), *drawn.sample(list(range(6, 10)), val_shots)]
    assert sample_few_shot(train, val, shots, 7) == (expected, expected_val)


def test_classes_come_in_order_of_first_appearance() -> None:
    assert list(groups_by_label([5, 2, 5, 9, 2])) == [5, 2, 9]
    assert groups_by_label([5, 2, 5, 9, 2]) == {5: [0, 2], 2: [1, 4], 9: [3]}
    drawn = random.Random(1)
    expected = [*drawn.sample([0, 2, 4], 1), *drawn.sample([1, 3, 5], 1)]
    assert sample_few_shot([5, 2, 5, 2, 5, 2], [], 1, 1)[0] == expected


def test_no_shots_mean_all_and_one_shot_means_one() -> None:
    labels = [1, 0, 1, 0]
    assert sample_few_shot(labels, labels, 0, 1) == ([0, 1, 2, 3], [0, 1, 2, 3])
    train, val = sample_few_shot(labels, labels, 1, 1)
    assert [labels[position] for position in train] == [labels[position] for position in val] == [1, 0]


def test_validation_is_split_off_after_a_shuffle() -> None:
    drawn = random.Random(0)
    first, second = [0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10]
    drawn.shuffle(first)
    drawn.shuffle(second)
    expected = (first[2:] + second[2:], first[:2] + second[:2])  # round(1.75) and round(2.1)
    assert split_off_validation([0] * 5 + [1] * 6, 0.35, 0) == expected


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(10, (5, 2, 3)), (8, (4, 2, 2)), (20, (10, 4, 6)), (100, (50, 20, 30)), (4, (2, 1, 1)), (1, (1, 0, 0))],
)
def test_data_without_splits_is_divided_by_class(count: int, sizes: tuple[int, int, int]) -> None:
    """50% train, 20% val and 30% test of every class."""
    items = tuple(Item(Path(f"{label}/{n}.png"), label, f"{label}/{n}.png") for label in (0, 1) for n in range(count))
    splits = divide(items)
    assert {name: len(found) for name, found in splits.items()} == {
        "train": 2 * sizes[0], "val": 2 * sizes[1], "test": 2 * sizes[2]
    }  # fmt: skip
    for found in splits.values():
        assert sum(item.label == 0 for item in found) * 2 == len(found)
        assert [items.index(item) for item in found] == sorted(items.index(item) for item in found)
    assert sorted(item.name for found in splits.values() for item in found) == sorted(item.name for item in items)


def test_the_division_is_what_it_was() -> None:
    """Another seed or order would move test images into training when old data is read again."""
    items = tuple(Item(Path(f"{n}.png"), 0, f"{n}.png") for n in range(10))
    found = {name: [int(item.path.stem) for item in part] for name, part in divide(items).items()}
    test = list(range(10))
    drawn = random.Random(0)
    drawn.shuffle(test)
    left = sorted(test[3:])
    val = list(left)
    random.Random(0).shuffle(val)
    assert found == {"test": sorted(test[:3]), "val": sorted(val[:2]), "train": sorted(val[2:])}


@pytest.mark.parametrize(
    ("count", "base", "novel"),
    [(1, 1, 0), (2, 1, 1), (3, 2, 1), (5, 3, 2), (37, 19, 18), (47, 24, 23), (101, 51, 50), (397, 199, 198)],
)
def test_the_middle_class_is_a_base_class(count: int, base: int, novel: int) -> None:
    first, second = base_and_novel(reversed(range(count)))
    assert (len(first), len(second)) == (base, novel)
    assert first + second == list(range(count))


def test_kept_classes_are_numbered_in_the_order_given() -> None:
    assert keep_classes([3, 1, 2, 3, 1], [3, 1]) == ([0, 1, 3, 4], [0, 1, 0, 1])
    assert keep_classes([3, 1, 2], []) == ([], [])
