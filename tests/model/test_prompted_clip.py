"""The module that programs use: what it refuses, what it looks at, and what `loss` asks of its criterion."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import dapt
from dapt.data.batch import Batch
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.model.made_with import MadeWith
from dapt.model.prompted_clip import PromptedClip, make_prompted
from helpers import tiny_clip

NAMES = ["red square", "blue disc"]


def pixels(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def made(method: str = "coop", **options: object) -> PromptedClip:
    return dapt.create_model(tiny_clip(), method, NAMES, **options)


class Counting:
    """A criterion that says what it was asked."""

    def __init__(self) -> None:
        self.helpers = [nn.Linear(2, 1)]
        self.asked: list[tuple[int, int]] = []

    def __call__(self, model, batch, epoch, epochs):
        self.asked.append((epoch, epochs))
        value = model(batch.pixels).mean()
        return value, {"L": value.detach()}


def test_a_batch_in_is_a_loss_out() -> None:
    model, criterion = made(n_ctx=2), Counting()
    model.set_criterion(criterion)
    batch = Batch(pixels(2), torch.tensor([0, 1]))
    loss, terms = model(batch, 3, 10)
    assert float(loss.detach()) == float(terms["L"])
    model.loss(batch)
    assert criterion.asked == [(3, 10), (0, 1)]
    names = {name.partition(".")[0] for name, _ in model.named_parameters()}
    assert names == {"prompts", "helpers"}, "what the criterion trains is trained with the model"


def test_put_together_by_hand_it_has_no_loss_and_cannot_be_saved(tmp_path: Path) -> None:
    whole = made(n_ctx=2)
    model = make_prompted(whole.clip, whole.prompts, NAMES, MadeWith())
    assert torch.equal(model.eval()(pixels(2)), whole.eval()(pixels(2)))
    with pytest.raises(ConfigError, match="no objectives, so no loss"):
        model.loss(Batch(pixels(1), torch.tensor([0])))
    with pytest.raises(ConfigError, match="does not say which method"):
        model.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_methods_that_look_first_wait_for_images() -> None:
    model = made("tip_adapter")
    for use in (lambda: model(pixels(1)), lambda: model.encode_text(), lambda: model.plain()):
        with pytest.raises(ConfigError, match="looks at all training images before it is of use"):
            use()
    batches = [Batch(pixels(3, 1), torch.tensor([0, 1, 0])), Batch(pixels(1, 2), torch.tensor([1]))]
    assert model.prepare(batches) is model
    assert model.eval()(pixels(2)).shape == (2, 2)
    at_once = made("tip_adapter").prepare([Batch(torch.cat([pixels(3, 1), pixels(1, 2)]), torch.tensor([0, 1, 0, 1]))])
    assert torch.allclose(at_once.eval()(pixels(2)), model(pixels(2)), atol=1e-4), "batches do not matter"


def test_a_loaded_state_needs_no_images() -> None:
    one, two = made("tip_adapter"), made("tip_adapter", cache_size=2)
    one.prepare([Batch(pixels(2), torch.tensor([0, 1]))])
    two.load_state_dict(one.state_dict())
    assert torch.equal(two.eval()(pixels(2, 5)), one.eval()(pixels(2, 5)))


@pytest.mark.parametrize(
    "given",
    [torch.zeros(2, 1, 32, 32), torch.zeros(3, 32, 32), torch.zeros(1, 3, 32, 32, dtype=torch.int64)],
)
def test_what_are_no_normalised_pixels(given: torch.Tensor) -> None:
    with pytest.raises(DataError, match=r"Normalised pixels are floats \[B, 3, 32, 32\]"):
        made(n_ctx=2).encode_image(given)


def test_one_name_is_no_list_of_names() -> None:
    model = made(n_ctx=2)
    with pytest.raises(ConfigError, match="not the text 'cat'"):
        model.set_classes("cat")
    with pytest.raises(DataError, match="no classes to choose from"):
        model.set_classes([])
    assert model.names == NAMES


def test_prompts_of_the_training_classes_know_no_others() -> None:
    model = made("coop.csc")
    with pytest.raises(NotSupportedError):
        model.set_classes(["cat", "dog"])
    with pytest.raises(NotSupportedError):
        model.with_classes(["cat", "dog"])
    assert model.names == NAMES
    assert model.with_classes(NAMES).names == NAMES


def test_export_is_for_class_texts_that_stay() -> None:
    model = made(n_ctx=2).eval()
    assert torch.allclose(model.plain()(pixels(2)), model(pixels(2)), atol=1e-4)
    with pytest.raises(NotSupportedError, match="runs the text tower for every image"):
        made("cocoop").plain()


def test_what_belongs_to_its_classes_is_asked_about_some_and_trained_on_all(tmp_path: Path) -> None:
    names = ["cat", "dog", "cow"]
    model = dapt.create_model(tiny_clip(), "coop.csc", names, n_ctx=4)
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    whole = model.eval()(pixels)
    some = model.with_classes(["cow", "cat"])
    assert torch.equal(some(pixels), whole[:, [2, 0]])
    assert torch.equal(some.encode_text(), model.encode_text()[[2, 0]])
    assert torch.allclose(some.plain()(pixels), some(pixels), atol=1e-4)
    with pytest.raises(ConfigError, match="trained on all of its 3 classes"):
        some.loss(Batch(pixels, torch.tensor([0, 1])))
    for others in (["cat", "cat"], ["cat", "hen"]):
        with pytest.raises(NotSupportedError):
            model.with_classes(others)
    again = dapt.load_model(some.save_pretrained(tmp_path / "saved"), model=tiny_clip())
    assert again.names == ["cow", "cat"]
    assert torch.allclose(again(pixels), some(pixels), atol=1e-6)
