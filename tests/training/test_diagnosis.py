"""What DAPT's terms do, measured beside a training that goes on as if nobody looked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.data.batch import Batch
from dapt.training.diagnosis import Diagnosis, look
from fitters import TIMES, make_fitter
from helpers import make_folder

CUE = {"source": "random"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("diagnosis") / "photos", per_class=4)


@pytest.mark.parametrize("method", ["maple", "clip_lora"])
def test_looking_changes_nothing(folder: Path, method: str) -> None:
    found = []
    for diagnose in (False, True):
        dapt = {"variant": "joint", "diagnose": diagnose}
        prompt = {"depth": 2} if method == "maple" else {"dropout": 0.25}
        fitter = make_fitter(folder, method=method, prompt=prompt, epochs=2, dapt=dapt, cue=CUE)
        lines = fitter.fit().lines
        found.append((fitter.step.model.prompts.state_dict(), lines))
    (plain, without), (looked, seen) = found
    assert plain.keys() == looked.keys()
    assert all(torch.equal(value, looked[name]) for name, value in plain.items())
    for before, after in zip(without, seen, strict=True):
        assert {key: value for key, value in before.items() if key not in TIMES}.items() <= after.items()
        added = set(after) - set(before)
        assert {"distance/foreground", "distance/background", "right/whole", "right/foreground"} <= added
        assert {f"{kind}/{term}" for kind in ("angle", "size") for term in ("L_v", "L_f", "L_b")} <= added
        assert not any("angle" in name for name in before)


def batch(usable: list[bool]) -> Batch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(4, 1, 32, 32)
    masks[..., 8:24, 8:24] = 1
    return Batch(torch.randn(4, 3, 32, 32, generator=generator), torch.arange(4), masks, torch.tensor(usable))


def test_angles_and_sizes_are_those_of_the_gradients(folder: Path) -> None:
    step = make_fitter(folder, dapt={"variant": "joint"}, cue=CUE).step
    seen = batch([True] * 4)
    found = look(step, seen, 0, 5)
    _, terms, _ = step(seen, 0, 5)
    parameters = list(step.model.prompts.parameters())

    def gradient(name: str) -> torch.Tensor:
        value = terms[name].weight * terms[name].value
        parts = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
        return torch.cat(
            [torch.zeros(p.numel()) if g is None else g.flatten() for p, g in zip(parameters, parts, strict=True)]
        )

    host = gradient("L_cls")
    for name in ("L_v", "L_f", "L_b"):
        own = gradient(name)
        cosine = float(own @ host / (own.norm() * host.norm()))
        assert torch.cos(torch.deg2rad(torch.tensor(found[f"angle/{name}"][0]))) == pytest.approx(cosine, abs=1e-3)
        assert found[f"size/{name}"][0] == pytest.approx(float(own.norm() / host.norm()), rel=1e-3)
    assert step.training


def test_only_terms_that_act_and_images_with_a_cue_are_measured(folder: Path) -> None:
    step = make_fitter(folder, dapt={"variant": "phased"}, cue=CUE).step
    found = look(step, batch([True, False, True, True]), 0, 5)
    assert {name for name in found if name.startswith("angle/")} == {"angle/L_v"}
    assert found["distance/foreground"][1] == 3
    assert not any(name.startswith(("distance", "right")) for name in look(step, batch([False] * 4), 0, 5))


def test_means_are_weighted_and_nothing_is_made_up() -> None:
    diagnosis = Diagnosis(None)
    diagnosis.see(0, batch([True] * 4), 0, 1)
    assert diagnosis.means() == {}
    diagnosis.add({"distance/foreground": (1.0, 1.0)})
    diagnosis.add({"distance/foreground": (0.0, 3.0), "angle/L_v": (90.0, 1.0)})
    assert diagnosis.means() == {"distance/foreground": 0.25, "angle/L_v": 90.0}


@pytest.mark.parametrize("variant", ["joint", "phased"])
def test_saved_features_are_looked_at_as_far_as_there_are_any(folder: Path, variant: str) -> None:
    found = []
    for diagnose in (False, True):
        dapt = {"variant": variant, "diagnose": diagnose}
        fitter = make_fitter(
            folder, method="prolip", prompt={"views": 2, "anchor": 0.1}, optimizer="adam", epochs=4, dapt=dapt, cue=CUE
        )
        lines = fitter.fit().lines
        found.append((fitter.step.model.prompts.state_dict()["visual_proj"], lines))
    (plain, _), (looked, lines) = found
    assert torch.equal(plain, looked)
    assert "right/whole" in lines[-1]
    assert ("distance/foreground" in lines[-1]) == (variant == "joint"), "the last phase does not read foregrounds"
    assert "distance/foreground" in lines[0]
