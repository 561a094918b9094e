"""Nothing that is not finite leaves the program with exit code 0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from dapt.errors import DaptError
from dapt.finite import require_finite, require_ranked
from helpers import with_digest


def spoil(path: Path, value: float, name: str | None = None) -> None:
    """Put `value` into one tensor of a safetensors file, the first unless named; its checksums then say nothing."""
    (path.parent / ".dapt.json").unlink(missing_ok=True)
    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    victim = tensors[name or next(key for key in tensors if tensors[key].is_floating_point())]
    victim.view(-1)[0] = value
    save_file(tensors, str(path), metadata=with_digest(metadata, tensors))


def strict_json(text: str) -> object:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_what_is_refused() -> None:
    with pytest.raises(DaptError, match="figures of 2 of 3 images are not finite"):
        require_finite(torch.tensor([[1.0, 2], [float("nan"), 1], [1, float("inf")]]), "figures")
    with pytest.raises(DaptError, match="1 of 2"):
        require_ranked(torch.tensor([[1.0, float("nan")], [1, 2]]))
    for bad in (float("nan"), float("inf")):
        with pytest.raises(DaptError, match="not finite"):
            require_ranked(torch.tensor([[bad, 1.0]]))
    with pytest.raises(DaptError, match="not finite"):
        require_ranked(torch.full((1, 2), -torch.inf))
    require_ranked(torch.tensor([[-torch.inf, 1.0]]))  # a class without images in a linear probe
    require_finite(torch.empty(0, 3), "figures")


@pytest.mark.parametrize("method", ["maple", "cocoop", "tip_adapter", "linear_probe", "clap", "clip_lora"])
def test_damaged_prompts_predict_and_evaluate_nothing(
    dapt, table: Path, tiny_spec: str, tmp_path: Path, method: str
) -> None:
    out = tmp_path / "r"
    given = ["--set", "depth=2"] if method in ("maple", "vpt") else []
    given += ["--set", "prompt.c=1"] if method == "linear_probe" else []
    given += ["--set", "prompt.views=1"] if method == "tip_adapter" else []
    arguments = ["train", table, "--model", tiny_spec, "--method", method, "--shots", 1, "--epochs", 1, "--out", out]
    code, _, err = dapt(*arguments, *given)
    assert code == 0, err
    file = out / "prompts.safetensors"
    name = {
        "maple": "proj.weight",
        "tip_adapter": "keys",
        "clap": "prototypes",
        "linear_probe": "weight",
        "clip_lora": "image.0.q.b",
    }.get(method)
    if method == "clip_lora":  # the other factor must not hide it
        spoil(file, 1.0, "image.0.q.a")
    image = table.parent / "images" / "red_square_0.png"
    for value in (float("nan"), float("inf"), -float("inf"), 3e38):
        spoil(file, value, name)
        for command in (["eval", out], ["predict", out, image, "--format", "json"]):
            code, printed, err = dapt(*command)
            if code == 0:
                assert value == 3e38, "only a number may do no harm"
                assert "nan" not in printed.lower()
            else:
                assert code == 2, err
                assert "finite" in err
                assert "Traceback" not in err
                assert printed == ""
    for path in (out / "eval").glob("*.json"):
        strict_json(path.read_text())


def test_numbers_that_overflow_are_refused_by_what_follows_from_them(dapt, table, tiny_spec, tmp_path) -> None:
    """The prompts themselves are finite, what is computed with them is not."""
    out = tmp_path / "r"
    assert dapt("train", table, "--model", tiny_spec, "--depth", 2, "--shots", 1, "--epochs", 1, "--out", out)[0] == 0
    spoil(out / "prompts.safetensors", 3e38, "ctx")
    image = table.parent / "images" / "red_square_0.png"
    for command in (["eval", out], ["predict", out, image], ["predict", out, image, "--format", "csv"]):
        code, printed, err = dapt(*command)
        assert (code, printed) == (2, "")
        assert "images are not finite" in err


@pytest.mark.parametrize("method", ["zero_shot", "linear_probe", "clap", "maple"])
@pytest.mark.parametrize("tower", ["visual.class_embedding", "ln_final.weight"])
def test_a_broken_model_gives_no_figures(dapt, table: Path, tmp_path: Path, method: str, tower: str) -> None:
    from helpers import save_tiny_model

    spec = save_tiny_model(tmp_path / "model")
    spoil(tmp_path / "model" / "open_clip_model.safetensors", float("nan"), tower)
    out = tmp_path / "r"
    given = ["--set", "depth=2"] if method == "maple" else []
    code, _, err = dapt(
        "train", table, "--model", spec, "--method", method, "--shots", 1, "--epochs", 1, "--out", out, *given
    )
    if method == "linear_probe" and tower == "ln_final.weight":
        assert code == 0  # it reads no texts
        assert "Zero-shot CLIP is left out: " in err
        return
    assert code == 2, err
    assert "finite" in err or "The loss is nan" in err
    assert "Traceback" not in err
    assert not (out / "results.json").exists()


@pytest.mark.parametrize("select", ["herding", "uncertainty"])
def test_a_broken_model_selects_nothing(dapt, table: Path, tmp_path: Path, select: str) -> None:
    from helpers import save_tiny_model

    spec = save_tiny_model(tmp_path / "model")
    spoil(tmp_path / "model" / "open_clip_model.safetensors", float("nan"), "visual.class_embedding")
    code, _, err = dapt(
        *("data", "select", table, "--select", select, "--fraction", 0.5, "--model", spec),
        *("--out", tmp_path / "s.json", "--set", "depth=2"),
    )
    assert code == 2
    assert "image features of" in err
    assert not (tmp_path / "s.json").exists()


def test_a_broken_model_makes_no_masks_and_no_pictures(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    from helpers import save_tiny_model

    out = tmp_path / "r"
    assert dapt("train", table, "--model", tiny_spec, "--depth", 2, "--shots", 1, "--epochs", 1, "--out", out)[0] == 0
    spoil(out / "prompts.safetensors", float("nan"), "ctx")
    image = table.parent / "images" / "red_square_0.png"
    code, _, err = dapt("predict", out, image, "--explain", tmp_path / "pictures")
    assert code == 2
    assert "finite" in err
    assert not (tmp_path / "pictures").exists()
    spec = save_tiny_model(tmp_path / "model")
    spoil(tmp_path / "model" / "open_clip_model.safetensors", float("nan"), "visual.class_embedding")
    code, _, err = dapt("masks", table, "--cue", "gradcam", "--model", spec, "--out", tmp_path / "m")
    assert code == 2
    assert "finite" in err


@pytest.mark.parametrize("rate", ["1e10", "1e30", "1e38"])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_rate_that_blows_up_writes_no_figures(
    dapt, table: Path, tiny_spec: str, tmp_path: Path, rate: str, optimizer: str
) -> None:
    out = tmp_path / "r"
    code, _, err = dapt(
        *("train", table, "--model", tiny_spec, "--depth", 2, "--shots", 4, "--epochs", 1, "--batch-size", 8),
        *("--lr", rate, "--set", "warmup_epochs=0", "--set", f"optimizer={optimizer}", "--out", out),
    )
    assert "Traceback" not in err
    assert code in (0, 2), err
    if code == 0:  # the prompts are huge, but every figure is finite
        strict_json((out / "results.json").read_text())
    else:
        assert "finite" in err or "too large" in err or "The loss is" in err
        assert not (out / "results.json").exists()
