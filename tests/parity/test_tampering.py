"""The parity tests must fail when a number in a fixture is altered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from cases import Case, Folder
from safetensors.torch import load_file, save_file
from test_parity import test_case as run_case

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("zeroshot", "out.text_features"),
        ("coop_init_end", "grad.ctx"),
        ("coop_generic_middle", "out.prompt_embeddings"),
        ("vpt_shallow", "param3.visual_ctx"),
        ("maple_words", "grad.deep_proj.8.bias"),
        ("maple_words", "tokens.class_prompts"),
        ("dapt_corrected_sum", "out.loss_b"),
        ("dapt_corrected_fgbg", "out.pseudo_labels"),
        ("gradcam_single", "out.mask"),
        ("cocoop", "grad.meta_net.linear1.weight"),
        ("kgcoop", "out.loss_kg"),
        ("prograd_conflict", "grad.ctx"),
        ("prograd_conflict_lambda", "param1.ctx"),
        ("promptsrc", "out.loss_scl_logits"),
        ("promptsrc_gpa", "gpa.deep_visual.8"),
        ("promptkd", "bn3.running_var"),
        ("dapt_release_fgbg", "out.loss_f"),
        ("prolip", "out.loss_anchor_per_step"),
        ("prolip", "epoch10.visual_proj"),
        ("prolip", "out.final_test_logits"),
        ("gda", "out.weight"),
        ("gda_base_to_new", "out.test_scores_new"),
        ("lp_plus", "epoch20.alpha"),
        ("lp_plus", "param3.bias"),
    ],
)
def test_an_altered_number_fails(name: str, key: str, tmp_path: Path) -> None:
    for path in FIXTURES.iterdir():
        if path.stem in (name, "clip", "inputs", "dapt_corrected_sum", "teacher_clip"):
            shutil.copy(path, tmp_path)
    run_case(name, Folder(tmp_path))
    path = tmp_path / f"{name}.safetensors"
    tensors = load_file(path)
    flat = tensors[key].flatten()
    index = int(flat.abs().argmax())
    flat[index] = flat[index] * (1 + 1e-3) if flat.is_floating_point() and "mask" not in key else 1 - flat[index]
    tensors[key] = flat.view(tensors[key].shape).contiguous()
    save_file(tensors, str(path))
    with pytest.raises(AssertionError, match=key.replace(".", r"\.")):
        run_case(name, Folder(tmp_path))


ZERO = "grad.student_proj.conv_in.bias"  # a batch norm follows, so it is zero in exact arithmetic
NOISY = 1.7e-5  # what the reference's own float32 run misses zero by in other sets of fixtures


def doctored(folder: Path, *zeros: str, deviation: dict[str, float]) -> Folder:
    """The PromptKD case with some gradients stored as zero, and other deviations of the reference."""
    for path in FIXTURES.iterdir():
        if path.stem in ("promptkd", "clip", "inputs", "teacher_clip"):
            shutil.copy(path, folder)
    path = folder / "promptkd.safetensors"
    tensors = load_file(path)
    save_file({**tensors, **{key: torch.zeros_like(tensors[key]) for key in zeros}}, str(path))
    settings = json.loads((folder / "promptkd.json").read_text())
    for key, value in deviation.items():
        settings["official_fp32_deviation"][key] = [value, 0.0]
    (folder / "promptkd.json").write_text(json.dumps(settings))
    return Folder(folder)


@pytest.mark.parametrize(("deviation", "limit"), [(0.0, 1e-6), (1e-7, 1e-6), (NOISY, 10 * NOISY)])
def test_what_is_stored_as_zero_may_be_as_noisy_as_the_reference(tmp_path: Path, deviation, limit) -> None:
    case = Case(doctored(tmp_path, deviation={ZERO: deviation}), "promptkd")
    noise = torch.zeros_like(case.stored[ZERO])
    noise[1] = 0.9 * limit
    case.check(ZERO, noise)
    noise[1] = 1.1 * limit
    with pytest.raises(AssertionError, match=ZERO):
        case.check(ZERO, noise)


@pytest.mark.parametrize("deviation", [0.0, NOISY])
def test_a_gradient_that_is_not_zero_fails_where_zero_is_stored(tmp_path: Path, deviation: float) -> None:
    run_case("promptkd", doctored(tmp_path, deviation={ZERO: deviation}))
    wrong = "grad.student_proj.conv_out.bias"
    assert float(load_file(FIXTURES / "promptkd.safetensors")[wrong].abs().max()) > 0
    with pytest.raises(AssertionError, match=wrong):
        run_case("promptkd", doctored(tmp_path, wrong, deviation={wrong: deviation}))


def test_forgetting_weight_decay_fails(tmp_path: Path, monkeypatch) -> None:
    import test_parity

    original = test_parity.make_optimizer

    def without(parameters, **settings):
        optimizer = original(parameters, **settings)
        for group in optimizer.param_groups:
            group["weight_decay"] = 0.0
        return optimizer

    monkeypatch.setattr(test_parity, "make_optimizer", without)
    with pytest.raises(AssertionError, match=r"param[13]"):
        run_case("ivlp", Folder(FIXTURES))


def test_a_number_that_nobody_compares_fails(tmp_path: Path) -> None:
    for path in FIXTURES.iterdir():
        if path.stem in ("zeroshot", "clip", "inputs"):
            shutil.copy(path, tmp_path)
    path = tmp_path / "zeroshot.safetensors"
    save_file({**load_file(path), "out.something_new": torch.zeros(2)}, str(path))
    with pytest.raises(AssertionError, match=r"out\.something_new"):
        run_case("zeroshot", Folder(tmp_path))
