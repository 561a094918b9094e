"""Images that show several classes each: what is kept, refused, learned and measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from dapt.config import make_config
from dapt.data.items import ImageSet, Item
from dapt.data.labelled import select_classes
from dapt.data.load.loader import targets_of
from dapt.errors import NotSupportedError
from dapt.methods.base import CROSS_ENTROPY, METHODS
from dapt.model.classifier import Classifier
from dapt.runs.run_data import check_multi_label, load_run_data
from dapt.runs.train import run_training
from helpers import COLOURS, draw, run_with

NAMES = tuple(name.replace("_", " ") for name in COLOURS)
SHOWN = [(0,), (0, 1), (1, 2), (2,), (2, 3), (3, 0), (1,), (3,)]  # classes of image i are those of i modulo 8


def make_several(root: Path) -> ImageSet:
    """Images of one or two objects side by side, with masks."""
    splits: dict[str, list[Item]] = {"train": [], "val": [], "test": []}
    for number in range(32):
        shown = SHOWN[number % len(SHOWN)]
        pictures = [draw(list(COLOURS)[label], 10 * number + label) for label in shown]
        name = f"{number:02d}.png"
        for folder, side, mode in (("images", 0, "RGB"), ("masks", 1, "L")):
            canvas = Image.new(mode, (48 * len(shown), 40))
            for place, picture in enumerate(pictures):
                canvas.paste(picture[side], (48 * place, 0))
            (root / folder).mkdir(parents=True, exist_ok=True)
            canvas.save(root / folder / name)
        split = ("train", "train", "val", "test")[number // 8]
        splits[split].append(Item(root / "images" / name, shown[0], name, root / "masks" / name, labels=shown))
    return ImageSet("several", root, NAMES, {name: tuple(items) for name, items in splits.items()}, multi_label=True)


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """The data set, which every run reads whatever it asks for."""
    import dapt.runs.division
    import dapt.runs.evaluate_run

    data = make_several(tmp_path / "several")
    for module in (dapt.runs.division, dapt.runs.evaluate_run):
        monkeypatch.setattr(module, "load_data", lambda *given, **options: data)
    return data


def test_an_image_belongs_to_a_part_if_one_of_its_classes_does(several: ImageSet) -> None:
    items = several.split("test")
    part = select_classes(several, items, [2, 3])
    assert [item.name for item in part.items] == [items[i].name for i in (2, 3, 4, 5, 7)]
    assert [item.labels for item in part.items] == [(0,), (0,), (0, 1), (1,), (1,)]
    assert part.labels == tuple(item.label for item in part.items) == (0, 0, 0, 1, 1)
    assert part.names == NAMES[2:]
    assert targets_of(part.items, 2).tolist() == [[1, 0], [1, 0], [1, 1], [0, 1], [0, 1]]
    whole = select_classes(several, items, range(4))
    assert whole.items == items


def test_few_shot_images_are_drawn_by_their_first_class(several: ImageSet, tmp_path: Path) -> None:
    config = make_config(run_with(several.root, "unused", tmp_path / "run", shots=1))
    found = load_run_data(config)
    assert sorted(found.train.labels) == [0, 1, 2, 3]
    several_shown = make_config(run_with(several.root, "unused", tmp_path / "run", shots=0, subset="base"))
    found = load_run_data(several_shown)
    assert (len(found.train.items), len(found.test.items), len(found.novel.items)) == (10, 5, 5)


def refuses(method: str, data: ImageSet) -> bool:
    try:
        check_multi_label(make_config({"data": "-", "method": method}), data)
    except NotSupportedError:
        return True
    return False


def test_methods_that_need_one_class_per_image_are_refused(several: ImageSet) -> None:
    refused = {name.partition(".")[0] for name in METHODS.names() if refuses(name, several)}
    assert {"kgcoop", "prograd", "promptsrc", "promptkd", "clap", "linear_probe", "tip_adapter"} <= refused
    assert not refused & {"maple", "coop", "cocoop", "vpt", "ivlp", "zero_shot", "clip_lora"}
    assert all(METHODS.get(name).objectives == (CROSS_ENTROPY,) for name in METHODS.names() if "maple" in name)


def test_margins_need_one_class_per_image(several: ImageSet) -> None:
    config = make_config({"data": "-", "method": "maple", "stop_margin": 0.5})
    with pytest.raises(NotSupportedError, match="stop_margin needs one class per image"):
        check_multi_label(config, several)
    check_multi_label(config, ImageSet("single", Path(), NAMES))


@pytest.mark.parametrize("option", ["gate", "released"])
def test_options_of_dapt_that_need_one_class_per_image_are_refused(several: ImageSet, option: str) -> None:
    config = make_config({"data": "-", "method": "maple", "dapt": {option: True}})
    with pytest.raises(NotSupportedError, match=f"dapt.{option} needs one class"):
        check_multi_label(config, several)
    single = ImageSet("single", Path(), NAMES)
    check_multi_label(config, single)


def test_a_refused_run_writes_nothing(several: ImageSet, tiny_spec: str, tmp_path: Path) -> None:
    given = run_with(several.root, tiny_spec, tmp_path / "run", method="kgcoop", depth=None)
    with pytest.raises(NotSupportedError, match="several classes each, and kgcoop"):
        run_training(make_config(given))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_a_run_learns_and_measures_several_classes(several, tiny_spec: str, tmp_path: Path, kind: str) -> None:
    from dapt.runs.evaluate_run import evaluate_saved

    out = tmp_path / "run"
    given = run_with(several.root, tiny_spec, out, shots=0, epochs=8, lr=0.02, multi_label=kind, crop_scale=(0.8, 1.0))
    results = run_training(make_config({**given, "model_selection": "best_val"}))
    metrics = results["metrics"]
    assert results["multi_label"] == kind
    assert 0 < metrics["test/mean_average_precision"] <= 100
    classes = results["per_class"]
    assert set(classes) == set(NAMES)
    assert metrics["test/mean_average_precision"] == pytest.approx(sum(classes.values()) / 4)
    assert 0 <= metrics["test/accuracy"] <= 100
    for name in ("per_class_mean", "calibration_error", "accuracy_generalised", "worst_group"):
        assert metrics[f"test/{name}"] is None
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["L_cls"] < lines[0]["L_cls"]
    assert all(0 <= line["train/accuracy"] <= 100 for line in lines)
    again, _ = evaluate_saved(out, device="cpu")
    assert again["metrics"] == metrics
    assert again["per_class"] == classes


def test_the_loss_of_the_first_step_is_that_of_the_targets(several: ImageSet, tiny_spec: str, tmp_path: Path) -> None:
    """Shown classes reach the loss with the right numbers: one batch of all images, nothing random."""
    given = run_with(several.root, tiny_spec, tmp_path / "run", shots=0, epochs=1, batch_size=16, flip=0.0)
    config = make_config({**given, "crop_scale": (1.0, 1.0), "subset": "base"})
    run_training(config)
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text())

    from dapt.clip.load import load_clip
    from dapt.data.load.image_cache import ImageCache
    from dapt.data.load.loader import TrainImages, train_loader
    from dapt.data.load.transforms import train_transform
    from dapt.model.build import build_model

    data = load_run_data(config)
    clip = load_clip(tiny_spec, device="cpu", precision="32")
    model = build_model(config, clip, data.train.names)
    transform = train_transform(clip.image.image_size, clip.preprocess, crop_scale=(1.0, 1.0), flip=0.0)
    images = TrainImages(data.train.items, data.train.labels, transform, ImageCache(8), config.seed)
    every = [list(range(len(images)))]
    pixels = next(iter(train_loader(images, every, epoch=0, workers=0, device=clip.device))).pixels
    logp = Classifier(model)(pixels).log_softmax(dim=1)
    shown = [tuple(label for label in item.labels if label < 2) for item in several.split("train")]
    shown = [labels for labels in shown if labels]
    expected = [-sum(logp[row, label] for label in labels) / len(labels) for row, labels in enumerate(shown)]
    assert len(expected) == len(images) == 10
    assert line["L_cls"] == pytest.approx(float(sum(expected) / 10), rel=1e-4)
    right = [int(logp[row].argmax()) in labels for row, labels in enumerate(shown)]
    assert line["train/accuracy"] == pytest.approx(100 * sum(right) / 10)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("maple", {"dapt": {"variant": "joint"}, "workers": 1}),
        ("maple", {"dapt": True, "cue": "gradcam", "subset": "base"}),
        ("cocoop", {"depth": None, "multi_label": "sigmoid"}),
        ("coop", {"depth": None, "n_ctx": 2, "subset": "base"}),
        ("zero_shot", {"depth": None}),
    ],
)
def test_methods_run(several, tiny_spec: str, tmp_path: Path, method: str, changes: dict) -> None:
    results = run_training(make_config(run_with(several.root, tiny_spec, tmp_path / "run", method=method, **changes)))
    metrics = results["metrics"]
    assert metrics["test/mean_average_precision"] is not None
    halves = changes.get("subset") == "base"
    assert (metrics["test/harmonic_mean"] is not None) == halves
    assert metrics["test/accuracy_generalised"] is None
    assert len(results["per_class"]) == 4


def test_loader_processes_make_no_difference(several: ImageSet, tiny_spec: str, tmp_path: Path) -> None:
    for workers in (0, 1):
        given = run_with(several.root, tiny_spec, tmp_path / str(workers), workers=workers)
        run_training(make_config(given))
    alone, helped = (load_file(tmp_path / str(workers) / "prompts.safetensors") for workers in (0, 1))
    assert all(torch.equal(alone[name], helped[name]) for name in alone)
