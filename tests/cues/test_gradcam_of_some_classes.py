"""A run may train on any classes of a data set: Grad-CAM explains each image for its own, by the run's numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import dapt.runs.run_data
from dapt.clip.load import load_clip
from dapt.config import RunConfig, make_config
from dapt.data.labelled import select_classes
from dapt.data.load.images import image_tensor
from dapt.data.load.transforms import whole_transform
from dapt.data.resolve import load_data
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam, normalise_maps
from dapt.runs.prepare import prepare
from dapt.runs.run_data import load_run_data
from dapt.runs.select_file import contact_sheet, split_rows
from dapt.runs.train import run_training
from helpers import make_csv, run_with

KEPT = [3, 1]  # neither the first classes nor in their order


@pytest.fixture
def config(table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    """A run on two of the four classes."""
    monkeypatch.setattr(dapt.runs.run_data, "class_labels", lambda data, subset: KEPT)
    cue = {"source": "gradcam", "soft": True}
    return make_config(run_with(table, tiny_spec, tmp_path / "run", dapt={"variant": "joint"}, cue=cue, epochs=1))


def test_each_image_is_explained_for_its_own_class(config: RunConfig) -> None:
    data = load_run_data(config)
    names = dict(enumerate(data.source.names))
    assert data.train.names == (names[3], names[1])
    prepared = prepare(config, data, load_clip(config.model, device="cpu"))
    classify = Classifier(prepared.model)
    clip = prepared.model.clip
    transform = whole_transform(clip.image.image_size, clip.preprocess)
    whole = {item.path: names[item.label] for item in data.source.split("train")}
    for item, mask in zip(data.train.items, prepared.images.masks, strict=True):
        column = data.train.names.index(whole[item.path])
        pixels = transform(image_tensor(item.path), None)[0]
        coarse = grad_cam(classify, pixels[None], torch.tensor([column])).coarse
        assert torch.allclose(mask, normalise_maps(coarse, (32, 32))[0], atol=1e-4)


def test_such_a_run_trains(config: RunConfig) -> None:
    results = run_training(config)
    assert results["counts"]["classes"] == 2
    assert results["counts"]["cue_images"] == 4


def test_items_carry_the_numbers_of_their_part(tmp_path: Path) -> None:
    data = load_data(str(make_csv(tmp_path / "table")))
    part = select_classes(data, data.split("train"), KEPT)
    assert tuple(item.label for item in part.items) == part.labels
    assert {part.names[item.label] for item in part.items} == {"white ring", "blue disc"}
    assert all(part.names[item.label].split()[0] in item.name for item in part.items)


def test_split_files_keep_the_numbers_of_the_data_set(config: RunConfig) -> None:
    data = load_run_data(config)
    rows = split_rows(data, few=True)["train"]
    assert {(label, name) for _, label, name in rows} == {(label, data.source.names[label]) for label in KEPT}
    assert contact_sheet(data.train.items, data.train.names).height > 0
