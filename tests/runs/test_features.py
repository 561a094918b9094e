"""Features of training images for methods that look first: those of the untouched tower, image by image."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.config import RunConfig, make_config
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.images import image_tensor
from dapt.data.load.loader import TrainImages
from dapt.data.load.transforms import eval_transform, train_transform
from dapt.errors import DaptError
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from dapt.runs import kept_features
from dapt.runs.features import mean_of, random_views, test_view_features, training_set
from dapt.runs.run_data import RunData, load_run_data
from dapt.training.feature_bank import FeatureBank
from helpers import tiny_clip

test_view_features.__test__ = False  # a function of the library, whatever its name


@pytest.fixture
def config(table: Path) -> RunConfig:
    return make_config({"data": str(table), "method": "maple", "depth": 2, "shots": 2, "eval_batch_size": 3})


@pytest.fixture
def data(config: RunConfig) -> RunData:
    return load_run_data(config)


@pytest.fixture
def model(config: RunConfig, data: RunData) -> PromptedClip:
    return build_model(config, tiny_clip(), data.train.names)


def images_of(config: RunConfig, model: PromptedClip, data: RunData, **transform: object) -> TrainImages:
    made = train_transform(model.clip.image.image_size, model.clip.preprocess, **transform)
    return TrainImages(data.train.items, data.train.labels, made, ImageCache(0), config.seed)


def one_by_one(model: PromptedClip, data: RunData) -> torch.Tensor:
    transform = eval_transform(model.clip.image.image_size, model.clip.preprocess)
    rows = []
    for item in data.train.items:
        image = image_tensor(item.path)
        pixels = transform(image, torch.zeros(1, *image.shape[1:]))[0]
        rows.append(model.clip.image.encode(pixels[None])[0])
    return torch.stack(rows)


def test_features_of_the_test_view_do_not_know_the_prompts(config, model, data) -> None:
    found = test_view_features(model, data.train.items, config)
    assert found.shape == (8, model.clip.embed_dim)
    assert torch.allclose(found, one_by_one(model, data), atol=1e-5)
    assert not torch.allclose(found.norm(dim=1), torch.ones(8), atol=1e-2), "they are not normalised"


def test_of_no_images_there_are_no_features(config, model) -> None:
    assert test_view_features(model, [], config).shape == (0, model.clip.embed_dim)


def test_random_views_are_averaged(config, model, data) -> None:
    images = images_of(config, model, data, crop_scale=(0.2, 0.6), flip=0.5)
    first, two, three = (mean_of(random_views(model, images, views, config), views) for views in (1, 2, 3))
    assert first.shape == (8, model.clip.embed_dim)
    assert torch.equal(mean_of(random_views(model, images, 2, config), 2), two), "the same views every time"
    second, third = 2 * two - first, 3 * three - 2 * two
    assert not torch.allclose(first, second, atol=1e-3), "another view in every epoch"
    assert not torch.allclose(second, third, atol=1e-3)


def test_random_views_beyond_the_limit_are_not_kept(
    config, model, data, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = images_of(config, model, data, crop_scale=(0.2, 0.6), flip=0.5)
    monkeypatch.setattr(kept_features, "MEGABYTE", 2 * 8 * model.clip.embed_dim * 2)
    limited = config.model_copy(update={"features_mb": 1})
    bank = FeatureBank(tmp_path, {})
    found = list(random_views(model, images, 3, limited, bank))
    said = " ".join(capsys.readouterr().err.split())
    assert "features of 2 views of 8 images are kept" in said
    assert "Only 2 of 3 views fit (features_mb), every run computes the others." in said
    assert bank.made == 2
    again = list(random_views(model, images, 3, limited, bank))
    assert (bank.read, bank.made) == (2, 2)
    assert all(torch.equal(one, other) for one, other in zip(found, again, strict=True))


def test_what_methods_may_look_at(config, model, data) -> None:
    images = images_of(config, model, data, crop_scale=(0.2, 0.6), flip=0.5)
    found = training_set(config, model, data, images)
    assert found.labels.tolist() == list(data.train.labels) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert found.val_labels.tolist() == list(data.val.labels)
    assert torch.equal(found.features(0), test_view_features(model, data.train.items, config))
    assert torch.equal(found.features(2), mean_of(random_views(model, images, 2, config), 2))
    assert torch.equal(found.val_features(), test_view_features(model, data.val.items, config))
    assert torch.equal(found.class_features(), model.text_features(model.prompts.at_rest()))


def test_features_that_are_not_finite_are_refused(config, model, data) -> None:
    with torch.no_grad():
        next(iter(model.clip.model.visual.parameters())).fill_(float("nan"))
    with pytest.raises(DaptError, match="image features"):
        test_view_features(model, data.train.items, config)
