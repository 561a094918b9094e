"""PromptKD as a whole run: any run can teach, and the student stands on its own afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.model.classifier import Classifier
from dapt.prompts.student import as_seen_by
from dapt.runs.evaluate_run import evaluate_saved
from dapt.runs.load_run import load_run
from dapt.runs.train import run_training
from helpers import save_tiny_model, tiny_clip


@pytest.fixture(scope="module")
def wider(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A teacher backbone of another feature size and another image size."""
    changes = {
        "embed_dim": 48,
        "vision_cfg": {"image_size": 40, "layers": 3, "width": 32, "head_width": 16, "patch_size": 8},
    }
    return save_tiny_model(tmp_path_factory.mktemp("wider"), seed=5, **changes)


def run(data: Path, spec: str, out: Path, **changes: object) -> dict:
    given = {"data": str(data), "model": spec, "depth": 2, "shots": 2, "epochs": 2, "out": str(out), "device": "cpu"}
    return run_training(make_config({**given, **changes}))


@pytest.fixture
def teacher(table: Path, wider: str, tmp_path: Path) -> Path:
    run(table, wider, tmp_path / "teacher", method="ivlp", subset="base")
    return tmp_path / "teacher"


def student(table: Path, spec: str, teacher: Path, out: Path, **changes: object) -> dict:
    return run(table, spec, out, method="promptkd", prompt={"teacher": str(teacher)}, **changes)


def test_base_to_novel_from_a_teacher_of_another_size(table, tiny_spec, teacher, tmp_path) -> None:
    results = student(table, tiny_spec, teacher, tmp_path / "student", subset="base")
    assert results["metrics"]["test/accuracy_novel"] is not None
    assert results["counts"]["classes_trained"] == 2
    assert results["transductive"] is False
    lines = [json.loads(line) for line in (tmp_path / "student" / "metrics.jsonl").read_text().splitlines()]
    assert set(lines[0]) & {"L_cls", "L_kd"} == {"L_kd"}
    model, _ = load_run(tmp_path / "student", device="cpu")
    assert model.prompts.class_text.shape == (2, 48)
    again, _ = evaluate_saved(tmp_path / "student", device="cpu")
    for name in ("test/accuracy_base", "test/accuracy_novel"):
        assert again["metrics"][name] == results["metrics"][name]


def test_transductive_sees_all_classes_and_says_so(table, tiny_spec, teacher, tmp_path) -> None:
    out = tmp_path / "student"
    results = student(table, tiny_spec, teacher, out, subset="base", transductive=True, model_selection="best_test")
    assert results["transductive"] is True
    assert results["model_selection"] == "best_test"
    assert results["counts"]["classes_trained"] == 4
    assert results["counts"]["classes"] == 2
    assert results["metrics"]["test/accuracy_novel"] is not None


def test_the_student_needs_its_teacher_only_for_other_classes(table, tiny_spec, teacher, tmp_path) -> None:
    student(table, tiny_spec, teacher, tmp_path / "student")
    shutil.rmtree(teacher)
    model, _ = load_run(tmp_path / "student", device="cpu")
    assert Classifier(model)(torch.randn(2, 3, 32, 32)).shape == (2, 4)
    model.set_classes(["unicorn"])
    with pytest.raises(ConfigError, match="no run"):
        Classifier(model)


def test_labels_do_not_matter(table, tiny_spec, teacher, tmp_path) -> None:
    """Shuffled training labels give the same student, as long as the same images are drawn."""
    from dapt.model.build import build_model
    from dapt.objectives.build import build_objectives
    from dapt.training.step import TrainStep

    config = make_config(
        {"data": "-", "method": "promptkd", "depth": 2, "prompt": {"teacher": str(teacher)}, "dapt": {"enabled": True}}
    )
    names = ["red square", "blue disc", "green bar"]
    model = build_model(config, tiny_clip(), names)
    step = TrainStep(model, build_objectives(config, model))
    from dapt.data.batch import Batch

    pixels, masks = torch.randn(2, 3, 32, 32), torch.ones(2, 1, 32, 32)
    masks[:, :, :16] = 0
    losses = [
        float(step(Batch(pixels, torch.tensor(labels), masks), epoch, 10)[0])
        for epoch in (0, 9)
        for labels in ([0, 1], [2, 0])
    ]
    assert losses[0] == losses[1]
    assert losses[2] == losses[3]


def test_only_passes_with_gradient_move_the_running_statistics(teacher) -> None:
    from dapt.model.build import build_model

    config = make_config({"data": "-", "method": "promptkd", "depth": 2, "prompt": {"teacher": str(teacher)}})
    model = build_model(config, tiny_clip(), ["red square", "blue disc"]).train()
    norm = model.prompts.student_proj.bn
    with torch.no_grad():
        without = model.prompts.map_image(torch.randn(4, 32))
    assert norm.num_batches_tracked == 0
    assert torch.equal(norm.running_mean, torch.zeros_like(norm.running_mean))
    model.prompts.map_image(torch.randn(4, 32))
    assert norm.num_batches_tracked == 1
    assert without.shape == (4, 48)


@pytest.mark.parametrize("views", ["pixels", "attention"])
def test_masked_views_do_not_move_the_running_statistics(teacher, views: str) -> None:
    from dapt.data.batch import Batch
    from dapt.model.build import build_model
    from dapt.objectives.build import build_objectives
    from dapt.training.step import TrainStep

    found = []
    for dapt in ({"enabled": False}, {"enabled": True, "views": views, "variant": "joint"}):
        config = make_config(
            {"data": "-", "method": "promptkd", "depth": 2, "prompt": {"teacher": str(teacher)}, "dapt": dapt}
        )
        model = build_model(config, tiny_clip(), ["red square", "blue disc"])
        step = TrainStep(model, build_objectives(config, model)).train()
        masks = torch.zeros(3, 1, 32, 32)
        masks[:, :, :16] = 1
        pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        step(Batch(pixels, torch.tensor([0, 1, 0]), masks), 0, 10)
        norm = model.prompts.student_proj.bn
        assert norm.num_batches_tracked == 1
        found.append(norm.running_mean.clone())
    assert torch.allclose(found[0], found[1], atol=1e-6)


def test_the_gradcam_cue_does_not_see_labels(table, tiny_spec, teacher, tmp_path) -> None:
    """Changed labels change nothing in a method that learns without them, its cue included."""
    from dataclasses import replace

    from dapt.cues.base import CUES, CueContext
    from dapt.data.load.image_cache import ImageCache
    from dapt.data.resolve import load_data
    from dapt.model.build import build_model

    config = make_config({"data": "-", "method": "promptkd", "depth": 2, "prompt": {"teacher": str(teacher)}})
    data = load_data(str(table))
    model = build_model(config, tiny_clip(), data.names)
    cue = CUES.get("gradcam")(CueContext(CUES.get("gradcam").options_type(), None, "binary", False, ImageCache(10), 1))
    items = data.labelled("train")
    shifted = [replace(item, label=(item.label + 1) % 4) for item in items]
    for one, other in zip(cue.prepare(items, model), cue.prepare(shifted, model), strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.equal(one, other)


@pytest.mark.parametrize("method", ["coop.csc", "linear_probe", "tip_adapter", "clap", "gda.base_to_new"])
def test_what_cannot_teach_is_refused_at_once(method: str, table, tiny_spec, tmp_path) -> None:
    from dapt.errors import NotSupportedError

    given = {"data": str(table), "model": tiny_spec, "method": method, "shots": 2, "epochs": 1, "device": "cpu"}
    run_training(make_config({**given, "out": str(tmp_path / "teacher")}))
    with pytest.raises(NotSupportedError, match="cannot be a teacher"):
        student(table, tiny_spec, tmp_path / "teacher", tmp_path / "student")
    assert not (tmp_path / "student").exists()


def test_no_teacher_is_a_clear_error(table, tiny_spec, tmp_path) -> None:
    with pytest.raises(ConfigError, match="none was named"):
        run(table, tiny_spec, tmp_path / "student", method="promptkd")


def test_pixels_are_made_over_for_the_teacher() -> None:
    one, other = tiny_clip(), tiny_clip()
    assert as_seen_by(torch.ones(1, 3, 32, 32), one, other).equal(torch.ones(1, 3, 32, 32))
    grey = (0.5 - torch.tensor(one.preprocess.mean)) / torch.tensor(one.preprocess.std)
    other.preprocess = type(one.preprocess)((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    seen = as_seen_by(grey.view(1, 3, 1, 1).expand(1, 3, 32, 32), one, other)
    assert torch.allclose(seen, torch.zeros(1, 3, 32, 32), atol=1e-6)
