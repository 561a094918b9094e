"""Names of split folders."""

from __future__ import annotations

import pytest

from dapt.data.read.split_names import split_of, splits_beside


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((name, "train") for name in ("train", "Training", "TRAIN", "train_set", "TrainSet", "training-data", "trn")),
        *((name, "train") for name in ("train2017", "Train Images", "training_images", "train_set_images")),
        *((name, "val") for name in ("val", "valid", "Validation", "dev", "val2017", "VALID_SET", "validation set")),
        *((name, "test") for name in ("test", "Testing", "TEST", "eval", "test_images", "testset", "Evaluation")),
        *((name, "test") for name in ("holdout", "held_out", "3-test")),
        *((name, "train") for name in ("1_train", "01. Training")),
        *((name, None) for name in ("trainval", "1train")),
        *((name, None) for name in ("trains", "train station", "station", "data", "images", "tester", "valley", "")),
        *((name, None) for name in ("test tube", "train_1", "seg_train", "2017", "set")),
    ],
)
def test_spellings(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_splits_with_the_same_words_around_them() -> None:
    assert splits_beside(["seg_pred", "seg_test", "seg_train"]) == {"seg_test": "test", "seg_train": "train"}
    assert splits_beside(["pets-train", "pets-val", "other"]) == {"pets-train": "train", "pets-val": "val"}
    assert splits_beside(["bullet train", "steam train", "test tube"]) == {}
    assert splits_beside(["train station", "test station"]) == {"train station": "train", "test station": "test"}
    assert splits_beside(["train_1", "val_2", "test_3"]) == {"train_1": "train", "val_2": "val", "test_3": "test"}
    assert splits_beside(["trainval", "test"]) == {"trainval": "train", "test": "test"}
    assert splits_beside(["trainval", "train", "val"]) == {"train": "train", "val": "val"}
    assert splits_beside(["cat", "Test"]) == {"Test": "test"}
