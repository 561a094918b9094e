"""The training loop piece by piece: what a state holds, what is refused, and what is told."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dapt.data.batch import Batch
from dapt.errors import DaptError, ModelError
from dapt.objectives.base import Term
from dapt.objectives.gradients import GradientRule
from dapt.training import fit, saved_views
from dapt.training.fit import Fitter, State
from fitters import Stop, make_fitter, prompts_of, same


@pytest.fixture
def fitter(photos: Path) -> Fitter:
    return make_fitter(photos, epochs=2)


@pytest.fixture
def state(photos: Path) -> State:
    kept: list[State] = []
    make_fitter(photos, epochs=2, kept=kept).fit()
    return kept[-1]


def test_a_state_is_a_copy(photos: Path, fitter: Fitter, state: State) -> None:
    made = fitter.state()
    before = {name: value.clone() for name, value in made["prompts"].items()}
    given = {**state, "epoch": 1, "lines": state["lines"][:1]}
    fitter.load_state(given)
    fitter.fit()
    assert same(made["prompts"], before)
    assert not same(prompts_of(fitter), before)
    assert len(given["lines"]) == 1
    assert [line["epoch"] for line in fitter.progress.lines] == [1, 2]
    # the average is a dictionary to which epochs are added
    averaged = {"method": "promptsrc", "prompt": {"depth": 2, "gpa_mean": 2.0, "gpa_std": 1.0}, "epochs": 2}
    kept: list[State] = []
    with pytest.raises(Stop):
        make_fitter(photos, stop=1, kept=kept, **averaged).fit()
    first = dict(kept[0]["average"])
    other = make_fitter(photos, **averaged)
    other.load_state(kept[0])
    other.fit()
    assert same(kept[0]["average"], first)


def without(state: State, key: str) -> State:
    return {name: value for name, value in state.items() if name != key}


LINE = {"epoch": 1}
WRONG: list[tuple[str, Callable[[State], Any], str]] = [
    ("no epoch", lambda s: {**s, "epoch": 0, "lines": []}, "it has 0 epochs of 2"),
    ("one epoch more", lambda s: {**s, "epoch": 3, "lines": [*s["lines"], {"epoch": 3}]}, "it has 3 epochs of 2"),
    ("an epoch of True", lambda s: {**s, "epoch": True, "lines": [LINE]}, "it has True epochs of 2"),
    ("an epoch of 2.0", lambda s: {**s, "epoch": 2.0}, r"it has 2\.0 epochs of 2"),
    ("a line less", lambda s: {**s, "lines": s["lines"][:1]}, "it has no metrics for each of 2 epochs"),
    ("other lines", lambda s: {**s, "lines": [LINE, LINE]}, "it has no metrics for each of 2 epochs"),
    ("lines of words", lambda s: {**s, "lines": ["epoch", "epoch"]}, "."),
    ("lines without epoch", lambda s: {**s, "lines": [{}, {}]}, "'epoch'"),
    ("lines in a tuple", lambda s: {**s, "lines": tuple(s["lines"])}, "it has no metrics for each of 2 epochs"),
    *((f"{key} of a list", lambda s, key=key: {**s, key: [1]}, f"'{key}' is no mapping")
      for key in ("average", "best", "scaler", "helpers")),
    ("an accuracy of None", lambda s: {**s, "best_accuracy": None}, "the best epoch is no number"),
    ("a best epoch of 1.0", lambda s: {**s, "best_epoch": 1.0}, "the best epoch is no number"),
    ("no prompts of a cue", lambda s: {**s, "cue_prompts": {}}, "."),
    ("prompts of a cue in a list", lambda s: {**s, "cue_prompts": [1]}, "."),
    ("no prompts", lambda s: {**s, "prompts": {}}, "."),
    ("no optimiser", lambda s: {**s, "optimizer": {}}, "'param_groups'"),
    ("helpers of another", lambda s: {**s, "helpers": {"x": torch.zeros(1)}}, "."),
    ("words", lambda s: "state", "."),
    ("a list", lambda s: [], "."),
    *((f"without {key}", lambda s, key=key: without(s, key), f"'{key}'")
      for key in ("epoch", "lines", "average", "best", "best_accuracy", "cue_prompts", "prompts", "optimizer")),
]  # fmt: skip


def test_states_of_another_run_are_refused(fitter: Fitter, state: State) -> None:
    for case, change, reason in WRONG:
        with pytest.raises(ModelError, match=f"The resume state does not fit this run: .*{reason}") as caught:
            fitter.load_state(change(state))
        assert "\n" not in caught.value.what, case
        assert not caught.value.what.endswith(": ."), case
        assert "--overwrite" in caught.value.todo, case
    fitter.load_state(state)
    assert same(prompts_of(fitter), state["prompts"])


def test_errors_without_words_are_named_by_their_kind(fitter: Fitter, state: State, monkeypatch) -> None:
    monkeypatch.setattr(fitter, "_load_state", lambda given: (_ for _ in ()).throw(IndexError()))
    with pytest.raises(ModelError, match="does not fit this run: IndexError"):
        fitter.load_state(state)


@pytest.mark.parametrize(
    ("cue", "needed"),
    [
        ({"source": "gradcam", "refresh": 2}, [None, None, 2, None, 4]),
        ({"source": "gradcam", "refresh": 3}, [None, None, None, 3, 3]),
        ({"source": "gradcam", "refresh": 1}, [None, None, None, None, 4]),
        ({"source": "gradcam", "refresh": 0}, [None] * 5),
        ({"source": "random", "refresh": 2}, [None] * 5),
    ],
)
def test_prompts_of_the_masks_are_kept_as_long_as_these_are_needed(photos: Path, cue: dict, needed: list) -> None:
    """After epochs 1 to 5: of those after so many epochs, or none where the masks are of the start or made anew."""
    kept: list[State] = []
    make_fitter(photos, kept=kept, dapt={"variant": "joint"}, cue=cue).fit()
    for state, epoch in zip(kept, needed, strict=True):
        if epoch is None:
            assert state["cue_prompts"] is None
        else:
            assert same(state["cue_prompts"], kept[epoch - 1]["prompts"])
        assert not any("mask" in key for key in state)


@pytest.mark.parametrize(
    ("epoch", "kept"), [(0, "No epoch was finished."), (4, "The state after epoch 4 is kept in last.ckpt.")]
)
def test_what_is_not_finite_is_refused(fitter: Fitter, epoch: int, kept: str) -> None:
    good, bad = torch.tensor(1.0), torch.tensor(math.nan)
    fitter._check(good, {"L_a": bad}, epoch, 6)  # a figure is no loss
    with pytest.raises(DaptError) as caught:
        fitter._check(bad, {"L_a": bad, "L_b": good, "L_c": torch.tensor(math.inf)}, epoch, 6)
    assert caught.value.what == f"The loss is nan in epoch {epoch + 1}, step 7 (L_a, L_c); training stopped. {kept}"
    with pytest.raises(DaptError) as caught:
        fitter._check(torch.tensor(math.inf), {"L_a": good}, epoch, 0)
    assert f"The loss is inf in epoch {epoch + 1}, step 1 (the sum of all terms)" in caught.value.what
    fitter._check_parameters(epoch)
    name, parameter = next(iter(fitter.step.model.prompts.named_parameters()))
    with torch.no_grad():
        parameter.view(-1)[-1] = math.inf
    with pytest.raises(DaptError) as caught:
        fitter._check_parameters(epoch)
    assert caught.value.what == (
        f"The parameters {name} are not finite after epoch {epoch + 1}; training stopped. {kept}"
    )


@pytest.mark.parametrize(("method", "prompt"), [("maple", {"depth": 2}), ("prograd", {})])
def test_a_loss_that_is_not_finite_moves_nothing(photos: Path, method: str, prompt: dict[str, int]) -> None:
    fitter = make_fitter(photos, method=method, prompt=prompt, epochs=1)
    fitter.step.objectives[0].terms = lambda *given: {"L_cls": Term(torch.tensor(math.nan, requires_grad=True), 1.0)}
    before = prompts_of(fitter)
    with pytest.raises(DaptError, match=r"epoch 1, step 1 \(L_cls\)"):
        fitter.fit()
    assert same(prompts_of(fitter), before)


def test_an_epoch_is_told_in_one_line(fitter: Fitter, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"epoch": 1, "lr": 0.0026, "loss": 1.23456, "L_cls": 0.5, "other": 7.0, "train/accuracy": 12.34}
    fitter._tell({**line, "val/accuracy": 56.78, "seconds": 4.04, "images_per_second": 3.0})
    fitter._tell({**line, "seconds": 4.06})
    told = [" ".join(text.split()) for text in capsys.readouterr().err.splitlines()]
    start = "epoch 1/2 lr 2.60e-03 loss 1.2346 L_cls 0.5000 train/accuracy 12.3%"
    assert told == [f"{start} val/accuracy 56.8% 4.0 s", f"{start} 4.1 s"]


def test_speed_is_of_images(fitter: Fitter, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 108.0, 200.0, 204.0])
    monkeypatch.setattr(fit.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(fit, "progress", lambda loader, *told: loader)
    fitter.fit()
    found = [(line["seconds"], line["images_per_second"]) for line in fitter.progress.lines]
    assert found == [(8.0, 2.0), (4.0, 4.0)]  # of 16 images


def test_every_step_starts_without_gradients_in_training_mode(fitter: Fitter) -> None:
    """With a rate of 0 nothing moves, so that the gradients of each step are those of its batch alone."""
    fitter.config = fitter.config.model_copy(update={"lr": 0.0, "warmup_lr": 0.0})
    gradients, modes = [], []
    step = fitter._step

    def watched(batch: Batch, epoch: int, number: int) -> dict[str, Any]:
        found = step(given[0], epoch, number)
        gradients.append([None if each.grad is None else each.grad.clone() for each in fitter.step.parameters()])
        modes.append(fitter.step.training)
        return found

    given: list[Batch] = []
    make = saved_views.train_loader

    def first_batch(*args: Any, **options: Any) -> Any:
        for batch in make(*args, **options):
            given.append(batch)
            yield batch

    fitter._step = watched
    fitter.step.eval()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_views, "train_loader", first_batch)
        fitter.fit()
    assert modes == [True] * 8
    for found in gradients[1:]:
        assert all((a is None) == (b is None) for a, b in zip(gradients[0], found, strict=True))
        assert all(torch.equal(a, b) for a, b in zip(gradients[0], found, strict=True) if a is not None)
    assert any(float(each.abs().max()) > 0 for each in gradients[0] if each is not None)


class Fixed(GradientRule):
    """Gradients that are the same whatever the loss."""

    def combine(self, groups: Any) -> Any:
        self.groups = list(groups)
        return [torch.full_like(each, 0.5) for each in groups["main"]]


def test_the_gradient_rule_decides(photos: Path) -> None:
    given = {"epochs": 1, "batch_size": 16, "warmup_epochs": 0, "momentum": 0.0, "weight_decay": 0.0, "lr": 0.25}
    fitter = make_fitter(photos, method="prograd", prompt={}, **given)
    fitter.rule = Fixed()
    reduced: list[torch.Size] = []
    fitter._mean_over_processes = lambda gradient: reduced.append(gradient.shape) or gradient
    before = prompts_of(fitter)
    fitter.fit()
    trained = [each.shape for each in fitter.step.parameters() if each.requires_grad]
    assert reduced == 2 * trained  # both groups, before the rule
    assert sorted(fitter.rule.groups) == ["general", "main"]
    moved = [name for name, _ in fitter.step.model.prompts.named_parameters()]
    for name, value in prompts_of(fitter).items():
        if name in moved:
            assert torch.allclose(value, before[name] - 0.125, atol=1e-6)


@pytest.mark.parametrize(("method", "prompt"), [("maple", {"depth": 2}), ("prograd", {})])
def test_a_scaled_loss_teaches_the_same(photos: Path, method: str, prompt: dict[str, int]) -> None:
    """The model of this test computes in whole precision; only the loss is scaled, and gradients scaled back."""
    found = []
    for precision in ("32", "16"):
        fitter = make_fitter(photos, method=method, prompt=prompt, epochs=2, precision=precision)
        start = fitter.scaler.get_scale()
        assert (start > 1) == (precision == "16")
        fitter.scaler.set_growth_interval(3)
        fitter.fit()
        assert fitter.scaler.get_scale() == (start * 4 if precision == "16" else 1)  # 8 steps
        found.append(prompts_of(fitter))
    for name, value in found[0].items():
        assert torch.allclose(value, found[1][name], atol=1e-5), name
    assert not same(found[0], prompts_of(make_fitter(photos, method=method, prompt=prompt)))


def test_the_loss_that_is_told_is_weighted(photos: Path) -> None:
    fitter = make_fitter(photos, method="kgcoop", prompt={"knowledge_weight": 8.0}, epochs=2)
    lines = fitter.fit().lines
    assert lines[1]["L_kg"] > 1e-3
    for line in lines:
        assert line["loss"] == pytest.approx(line["L_cls"] + 8 * line["L_kg"], rel=1e-5)


def test_an_accuracy_of_zero_is_an_accuracy(photos: Path) -> None:
    fitter = make_fitter(photos, epochs=2, accuracies=[0.0, 0.0])
    progress = fitter.fit()
    assert [line["val/accuracy"] for line in progress.lines] == [0.0, 0.0]
    assert (progress.best_epoch, progress.best_accuracy) == (0, 0.0)
    assert progress.best


def test_what_the_loop_hands_on(photos: Path) -> None:
    """Progress with the state after every epoch; settings of the run to batches and processes."""
    made, kept = [], []
    fitter = make_fitter(photos, epochs=2, seed=5, workers=3, batch_size=6, drop_last=False, lr=0.02)
    fitter.after_epoch = lambda state, progress: kept.append((state["epoch"], progress is fitter.progress))

    def loader(images: Any, batches: Any, **options: Any) -> Any:
        made.append((batches, options["epoch"], options["workers"]))
        return fit_loader(images, batches, epoch=options["epoch"], workers=0, device=options["device"])

    fit_loader = saved_views.train_loader
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_views, "train_loader", loader)
        fitter.fit()
    assert kept == [(1, True), (2, True)]
    assert [(epoch, workers) for _, epoch, workers in made] == [(0, 3), (1, 3)]
    assert made[0][0] == saved_views.epoch_batches(16, 6, seed=5, epoch=0, drop_last=False)
    assert made[1][0] == saved_views.epoch_batches(16, 6, seed=5, epoch=1, drop_last=False)
    assert [len(batch) for batch in made[0][0]] == [6, 6, 4]


def test_what_the_step_is_given(photos: Path) -> None:
    """All that the loader hands over, and how images of several classes are compared."""
    fitter = make_fitter(
        photos, epochs=2, batch_size=16, multi_label="sigmoid", dapt={"variant": "joint"}, cue="random"
    )
    images = fitter.images.with_masks([None if number % 4 else torch.eye(48)[:40] for number in range(16)])
    fitter.images = images
    images.targets = torch.nn.functional.one_hot(torch.tensor(images.labels), 4)
    images.weights = torch.linspace(0.5, 1.5, 16)
    seen: list[Any] = []
    fitter.step.register_forward_pre_hook(lambda module, given: seen.append(given))
    fitter.fit()
    assert [(epoch, epochs) for _, epoch, epochs in seen] == [(0, 2), (1, 2)]
    for batch, epoch, _ in seen:
        order = saved_views.epoch_batches(16, 16, seed=fitter.config.seed, epoch=epoch)[0]
        assert batch.multi_label == "sigmoid"
        assert batch.labels.tolist() == [images.labels[position] for position in order]
        assert batch.targets.argmax(dim=1).tolist() == batch.labels.tolist()
        assert torch.equal(batch.weights, images.weights[order])
        samples = [images[epoch, position] for position in order]
        assert torch.equal(batch.pixels, torch.stack([sample[0] for sample in samples]))
        assert torch.equal(batch.masks, torch.stack([sample[2] for sample in samples]))
        assert batch.usable.tolist() == [sample[3] for sample in samples]
        assert 0 < int(batch.usable.sum()) <= 4
        assert fitter.progress.lines[epoch]["views_without_cue"] == 16 - int(batch.usable.sum())
