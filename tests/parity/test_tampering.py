"""The parity tests must fail when a number in a fixture is altered."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from cases import Folder
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
