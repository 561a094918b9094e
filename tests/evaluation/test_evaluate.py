"""The attention figure counts images whose mask shows both sides in the model's frame, each alike."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from dapt.config import make_config
from dapt.data.items import Item
from dapt.data.load.transforms import eval_transform
from dapt.data.resolve import load_data
from dapt.evaluation.evaluate import Encoded, Evaluation, MaskSource, classify_images, encode_images, evaluate
from dapt.model.attention import features_and_attention, foreground_share
from dapt.model.build import build_model
from dapt.model.classifier import Classifier
from dapt.model.prompted_clip import PromptedClip
from helpers import make_csv, tiny_clip

NAMES = ["red square", "blue disc", "green bar", "white ring"]


@pytest.fixture
def items(tmp_path: Path) -> tuple[Item, ...]:
    return load_data(str(make_csv(tmp_path / "table"))).split("train")[:5]


@pytest.fixture
def model() -> PromptedClip:
    return build_model(make_config({"data": "-", "method": "maple", "depth": 2}), tiny_clip(), NAMES)


def share_of(model: PromptedClip, item: Item) -> float:
    """In percent, from the picture and its mask file."""
    from dapt.data.load.images import image_tensor

    transform = eval_transform(model.clip.image.image_size, model.clip.preprocess)
    mask = MaskSource().read(item, (40, 48))
    pixels, warped = transform(image_tensor(item.path), mask[None])
    _, attention = features_and_attention(Classifier(model), pixels[None])
    return 100.0 * float(foreground_share(attention, warped[None]))


def figure(model: PromptedClip, items, **changes) -> float | None:
    labels = [item.label for item in items]
    return evaluate(model, items, labels, masks=MaskSource(), **changes).metrics()["cue/foreground_attention"]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_masks_of_one_side_do_not_count(items, model, size: int) -> None:
    Image.new("L", (48, 40), 0).save(items[0].mask)
    Image.new("L", (48, 40), 255).save(items[1].mask)
    items[2].mask.unlink()
    expected = (share_of(model, items[3]) + share_of(model, items[4])) / 2
    assert 0 < expected < 100
    assert figure(model, items, batch_size=size) == pytest.approx(expected, abs=1e-4)
    assert figure(model, items[:3], batch_size=size) is None
    assert figure(model, items[3:4], batch_size=size) == pytest.approx(share_of(model, items[3]), abs=1e-4)


def test_what_the_centre_crop_cuts_away_does_not_count(items, model) -> None:
    """The picture is 48 x 40: of a mask that is empty but for its left rim nothing is left in the frame."""
    rim = Image.new("L", (48, 40), 0)
    rim.paste(255, (0, 0, 2, 40))
    rim.save(items[0].mask)
    inverse = Image.new("L", (48, 40), 255)
    inverse.paste(0, (46, 0, 48, 40))
    inverse.save(items[1].mask)
    assert figure(model, items[:2]) is None
    assert figure(model, items[:3]) == pytest.approx(share_of(model, items[2]), abs=1e-4)


def test_without_masks_there_is_no_figure(items, model) -> None:
    labels = [item.label for item in items]
    assert evaluate(model, items, labels).metrics()["cue/foreground_attention"] is None


def test_shares_by_hand() -> None:
    attention = torch.tensor([[[0.1, 0.2], [0.3, 0.2]], [[0.0, 0.0], [0.0, 0.5]]])
    masks = torch.zeros(2, 1, 4, 4)
    masks[0, :, :2, 2:] = 1  # the second patch
    masks[1, :, 2:, 2:3] = 1  # half of the last one
    assert foreground_share(attention, masks).tolist() == pytest.approx([0.25, 0.5])


def test_the_figures_do_not_depend_on_the_batch(items, model) -> None:
    labels = [item.label for item in items]
    one, all_at_once = (evaluate(model, items, labels, batch_size=size) for size in (1, 100))
    assert torch.equal(one.predicted, all_at_once.predicted)
    assert torch.allclose(one.confidence, all_at_once.confidence, atol=1e-5)


def test_predictions_and_their_probability(items, model) -> None:
    classify = Classifier(model)
    encoded = encode_images(classify, items, batch_size=2)
    found = classify_images(classify, encoded, [item.label for item in items], batch_size=2)
    logits = classify.logits(encoded.features)
    assert torch.equal(found.predicted, logits.argmax(dim=1))
    assert torch.allclose(found.confidence, logits.softmax(dim=1).max(dim=1).values, atol=1e-6)
    assert found.labels.tolist() == [item.label for item in items]
    assert found.names == tuple(NAMES)
    empty = classify_images(classify, encode_images(classify, [], batch_size=2), [], batch_size=2)
    assert (len(empty.predicted), empty.metrics()["test/accuracy"]) == (0, None)


def test_two_lists_of_encoded_images(items, model) -> None:
    classify = Classifier(model)
    first, second = (encode_images(classify, part, batch_size=2) for part in (items[:2], items[2:]))
    whole = first + second
    assert whole.items == tuple(items)
    assert torch.allclose(whole.features, encode_images(classify, items, batch_size=5).features, atol=1e-5)
    nothing = Encoded((), torch.empty(0, 32))
    assert torch.equal((nothing + second).features, second.features)
    assert torch.equal((second + nothing).features, second.features)
    assert (nothing + nothing).items == ()


def evaluation(targets: torch.Tensor | None = None) -> Evaluation:
    return Evaluation(
        predicted=torch.tensor([0, 1, 1, 0]),
        labels=torch.tensor([0, 0, 1, 1]),
        confidence=torch.tensor([0.9, 0.6, 0.8, 0.7]),
        names=("a", "b"),
        groups=("x", "x", None, "y"),
        attention=12.5,
        targets=targets,
        scores=None if targets is None else torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]]),
    )


def test_all_figures_of_one_class_each() -> None:
    assert evaluation().metrics("val") == {
        "val/accuracy": 50.0,
        "val/per_class_mean": 50.0,
        "val/worst_group": 0.0,
        "val/calibration_error": pytest.approx(100 * (0.1 + 0.6 + 0.2 + 0.7) / 4),
        "val/mean_average_precision": None,
        "cue/foreground_attention": 12.5,
    }
    assert evaluation().breakdown() == {"per_class": {"a": 50.0, "b": 50.0}, "per_group": {"x": 50.0, "y": 0.0}}


def test_all_figures_of_several_classes() -> None:
    found = evaluation(torch.tensor([[1, 0], [0, 1], [1, 1], [0, 1]]))
    assert found.expected.tolist() == [0, 1, 1, 1]
    metrics = found.metrics()
    assert metrics["test/accuracy"] == 75.0
    assert metrics["test/worst_group"] == 0.0
    assert metrics["test/per_class_mean"] is metrics["test/calibration_error"] is None
    # class a: images by falling score 0, 3, 2, 1, shown by the first and the third
    a, b = 100 * (0.5 + 0.5 * 2 / 3), 100.0
    assert metrics["test/mean_average_precision"] == pytest.approx((a + b) / 2)
    assert found.breakdown()["per_class"] == {"a": pytest.approx(a), "b": pytest.approx(b)}
