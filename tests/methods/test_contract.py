"""What holds for every registered method, on both kinds of backbone, alone and with DAPT.

A method is put through all of this because it is in the registry; see `contract` for what it may have to declare.
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from contract import (
    NATIVE,
    NEEDS_TWO_CLASSES,
    NO_GRADIENT,
    SIGLIP,
    Case,
    Places,
    Trained,
    cases,
    clip_of,
    comparable,
    make_places,
    one_of_each,
    same,
    settings,
    shared_clips,
    state_of,
    structure,
    train,
    train_on_two_processes,
    where_supported,
)
from safetensors.torch import load_file

from dapt.errors import DataError, NotSupportedError
from dapt.methods.base import METHODS
from dapt.model.build import build_model
from dapt.model.classifier import Classifier
from dapt.model.prompts_file import load_prompts, save_prompts
from dapt.model.saved import open_model, rebuild_model
from dapt.objectives.build import build_objectives
from dapt.prompts.base import PromptArchitecture
from dapt.runs.train import run_training
from helpers import stopping

NAMES = ["red square", "blue disc", "green bar", "white ring"]
OTHER_NAMES = ["violet_cone", "grey cube", "brown_sphere"]

EVERY = METHODS.names()
OF_EACH_STRUCTURE = one_of_each(structure)
ON_BOTH_BACKBONES = cases(OF_EACH_STRUCTURE, NATIVE, SIGLIP)
ON_ONE_BACKBONE = cases(OF_EACH_STRUCTURE, NATIVE)


def other_tower_long(found: list[Case]) -> list[Any]:
    """The cases, those on the other kind of tower as part of the long matrix but for one method of each kind."""
    quick = {"maple", "coop", "vpt", "clip_lora"}
    return [
        case if case.tower == NATIVE or case.method in quick else pytest.param(case, marks=pytest.mark.long)
        for case in found
    ]


# Of methods with several recipes (``method.variant``) one is resumed here, the others in the long matrix.
TRAINED_ON_ONE_BACKBONE = [
    pytest.param(case, marks=pytest.mark.long) if "." in case.method else case
    for case in ON_ONE_BACKBONE
    if case.trains
]
# The same architecture and terms behave alike on several processes, whatever the options.
ON_TWO_PROCESSES = [
    Case(name)
    for name in one_of_each(lambda name: (METHODS.get(name).architecture, METHODS.get(name).objectives))
    if METHODS.get(name).trains
]


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    pytest.importorskip("timm")
    return make_places(tmp_path_factory.mktemp("contract"))


@pytest.fixture(scope="module", params=other_tower_long(ON_BOTH_BACKBONES), ids=str)
def trained(request: pytest.FixtureRequest, places: Places) -> Trained:
    """A method after two epochs of two steps (none where it has no training steps)."""
    return train(request.param, places)


@pytest.mark.parametrize("case", other_tower_long(cases(EVERY, NATIVE, SIGLIP)), ids=str)
def test_it_is_built_and_counted(case: Case, places: Places) -> None:
    config = settings(case, places)
    clip = clip_of(config.model, device="cpu", precision="32")
    with where_supported(case):
        model = build_model(config, clip, NAMES)
    assert build_objectives(config, model) or not case.trains
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert model.prompts.count() == sum(parameter.numel() for parameter in trained)
    assert not case.trains or trained
    assert not any(parameter.requires_grad for parameter in clip.model.parameters())


@pytest.mark.parametrize("name", EVERY)
def test_options_survive_being_written_and_read(name: str) -> None:
    method = METHODS.get(name)
    options = method.options.model_validate(dict(method.preset))
    plain = options.model_dump()
    assert method.options.model_validate(plain) == options
    assert method.options.model_validate(json.loads(json.dumps(plain))) == options


@pytest.mark.parametrize("name", [name for name in EVERY if not METHODS.get(name).trains])
def test_dapt_is_refused_where_nothing_is_trained(name: str, places: Places) -> None:
    config = settings(Case(name, dapt=True), places)
    model = build_model(config, clip_of(config.model, device="cpu", precision="32"), NAMES)
    with pytest.raises(NotSupportedError, match="no training steps"):
        build_objectives(config, model)


@pytest.mark.parametrize("name", EVERY)
def test_the_seed_decides_the_start(name: str, places: Places) -> None:
    """What draws from the generator starts elsewhere with another seed; the global one decides nothing."""
    config = settings(Case(name), places)
    method = METHODS.get(name)
    clip = clip_of(config.model, device="cpu", precision="32")
    elsewhere = itertools.count()

    def start(seed: int) -> tuple[dict[str, torch.Tensor], bool]:
        torch.manual_seed(next(elsewhere))
        generator = torch.Generator().manual_seed(seed)
        untouched = generator.get_state()
        options = method.options.model_validate(config.prompt)
        prompts = method.load_architecture().create(options, clip, NAMES, generator, open_model)
        return dict(prompts.state_dict()), not torch.equal(generator.get_state(), untouched)

    (first, draws), (again, _), (other, _) = start(1), start(1), start(2)
    assert same(first, again)
    assert same(first, other) is not draws


@pytest.mark.parametrize("name", EVERY)
def test_what_is_declared_is_so(name: str) -> None:
    """An architecture that looks at the training images says so, and one that binds its classes refuses others."""
    method = METHODS.get(name)
    kind = method.load_architecture()
    assert kind.looks_first == (kind.prepare is not PromptArchitecture.prepare)
    options = method.options.model_validate(dict(method.preset))
    assert kind.binds_classes(options) == (name in ("coop.csc", "linear_probe") or kind.fixed_classes)


def test_every_trained_tensor_learns(trained: Trained) -> None:
    if not trained.case.trains:
        pytest.skip(f"{trained.case.method} has no training steps")
    prompts = trained.model.prompts
    excused = NO_GRADIENT.get(trained.case.family, set())
    learns = {name for name, parameter in prompts.named_parameters() if parameter.requires_grad}
    assert set(trained.gradients) == learns
    assert {name for name, largest in trained.gradients.items() if largest == 0} <= excused
    assert all(math.isfinite(largest) for largest in trained.gradients.values())
    now = prompts.state_dict()
    stayed = {name for name in learns if torch.equal(now[name], trained.start[name])}
    assert stayed <= excused
    assert all(parameter.dtype == torch.float32 for parameter in prompts.parameters())


def test_the_backbone_is_left_alone(trained: Trained) -> None:
    clip = trained.model.clip
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in clip.model.parameters())
    assert same(state_of(clip), trained.backbone)
    assert not any(module.training for module in clip.model.modules())


def test_saved_and_loaded_it_predicts_the_same(trained: Trained, tmp_path: Path) -> None:
    model, config = trained.model, trained.config
    options = {**config.prompt, **model.prompts.saved_options()}
    path = tmp_path / "prompts.safetensors"
    tensors = dict(model.prompts.state_dict())
    save_prompts(path, tensors, method=config.method, options=options, names=model.names, clip=model.clip)
    again = rebuild_model(load_prompts(path), model.clip, config.dapt)
    assert again.names == model.names
    assert same(dict(again.prompts.state_dict()), tensors)
    assert again.prompts.count() == model.prompts.count()
    pixels = trained.pixels()
    logits = Classifier(model)(pixels)
    assert logits.shape == (3, len(NAMES))
    assert torch.isfinite(logits).all()
    assert torch.equal(Classifier(again)(pixels), logits)


def test_other_classes_are_named_or_refused(trained: Trained) -> None:
    model, pixels = trained.model, trained.pixels()
    before = Classifier(model)(pixels)
    names = list(model.names)
    if model.prompts.fixed_classes:
        with pytest.raises(NotSupportedError):
            model.set_classes(OTHER_NAMES)
        assert model.names == names
    else:
        model.set_classes(OTHER_NAMES)
        logits = Classifier(model)(pixels)
        assert logits.shape == (3, len(OTHER_NAMES))
        assert torch.isfinite(logits).all()
        model.set_classes(names)
        model.set_classes(names)
    assert torch.equal(Classifier(model)(pixels), before)


def test_some_of_the_classes_are_asked_about(trained: Trained) -> None:
    """Any method chooses among some of its classes, in any order; what it has learned of each stays where it is."""
    model, pixels = trained.model, trained.pixels()
    names, whole = list(model.names), Classifier(model)(pixels)
    chosen = names[::-1][:2]
    try:
        model.set_classes(chosen)
        some = Classifier(model)(pixels)
        count = len(chosen)
        columns = [names.index(name) for name in chosen]
        assert torch.allclose(some[:, :count], whole[:, columns], atol=1e-4)
        assert torch.allclose(model.eval()(pixels)[:, :count], some[:, :count], atol=1e-4)
        if not model.prompts.conditional:
            assert len(model.encode_text()) == some.shape[1]
            assert torch.allclose(model.plain()(pixels), some, atol=1e-4)
    finally:
        model.set_classes(names)
    assert torch.equal(Classifier(model)(pixels), whole)


@pytest.mark.parametrize("case", ON_ONE_BACKBONE, ids=str)
def test_batches_of_one(case: Case, places: Places) -> None:
    _check_short_run(train(case, places, shots=1, epochs=1, batch_size=1), steps=4)


@pytest.mark.parametrize("case", ON_ONE_BACKBONE, ids=str)
def test_one_class(case: Case, places: Places) -> None:
    if case.family in NEEDS_TWO_CLASSES:
        with pytest.raises(DataError, match="two classes"):
            train(case, places, data=str(places.one_class))
        return
    _check_short_run(train(case, places, data=str(places.one_class), epochs=1, batch_size=2), steps=1)


@pytest.mark.parametrize("case", ON_ONE_BACKBONE, ids=str)
def test_half_precision_towers_and_full_precision_prompts(case: Case, places: Places) -> None:
    trained = train(case, places, precision="bf16", shots=1, epochs=1)
    assert torch.bfloat16 in {parameter.dtype for parameter in trained.model.clip.model.parameters()}
    _check_short_run(trained, steps=1)


def _check_short_run(trained: Trained, steps: int) -> None:
    """Finite everywhere, float32 where something was learned, and able to judge a single image."""
    tensors = trained.model.prompts.state_dict()
    floating = [value for value in tensors.values() if value.is_floating_point()]
    assert all(value.dtype == torch.float32 and torch.isfinite(value).all() for value in floating)
    assert [math.isfinite(line["loss"]) for line in trained.lines] == [True] * bool(trained.config.epochs)
    assert trained.steps == (steps if trained.config.epochs else 0)
    logits = Classifier(trained.model)(trained.pixels(1))
    assert logits.shape == (1, len(trained.model.names))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("case", TRAINED_ON_ONE_BACKBONE, ids=str)
def test_resumed_it_ends_where_it_would_have_ended(case: Case, places: Places, tmp_path: Path) -> None:
    with shared_clips():
        run_training(settings(case, places, out=str(tmp_path / "whole")))
        cut = settings(case, places, out=str(tmp_path / "cut"))
        with pytest.raises(KeyboardInterrupt):
            run_training(cut, after_epoch=stopping())
        run_training(cut, resume=True)
    whole, resumed = (load_file(tmp_path / name / "prompts.safetensors") for name in ("whole", "cut"))
    assert same(whole, resumed)
    accuracies = [json.loads((tmp_path / name / "results.json").read_text())["metrics"] for name in ("whole", "cut")]
    assert accuracies[0] == accuracies[1]


@pytest.fixture(scope="module")
def on_two_processes(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what each case has learned on two processes, or with its traceback."""
    out = tmp_path_factory.mktemp("two-processes")
    train_on_two_processes(places, ON_TWO_PROCESSES, out)
    return out


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("case", ON_TWO_PROCESSES, ids=str)
def test_two_processes_learn_what_one_does(case: Case, places: Places, on_two_processes: Path) -> None:
    for error in on_two_processes.glob(f"{case.method}.error*"):
        pytest.fail(error.read_text())
    trained = train(case, places, **comparable(case))
    one, two = trained.model.prompts.state_dict(), load_file(on_two_processes / case.method)
    assert set(one) == set(two)
    for name in set(one) - NO_GRADIENT.get(case.family, set()):
        moved, apart = (
            float((value.double() - one[name].double()).abs().max()) for value in (trained.start[name], two[name])
        )
        assert apart <= 1e-3 * moved + 1e-7, f"{name}: {apart:.2g} apart after {moved:.2g}"


def test_methods_have_titles_of_their_own() -> None:
    titles = {name: METHODS.get(name).title for name in METHODS.names()}
    assert len(set(titles.values())) == len(titles), "no two rows of a table are called the same"
    assert titles["clip_lora"] == "CLIP-LoRA"
    assert titles["maple.few_shot"] == "MaPLe few shot"
    assert titles["tip_adapter.tuned"] == "Tip-Adapter-F"
