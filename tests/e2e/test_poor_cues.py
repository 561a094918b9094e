"""Poor cues through the command line: areas, trust, backgrounds that the cue names, and words chosen for the data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from helpers import make_folder

TOLD = """
import torch
from dapt.cues.base import CUES, Cue, CueReport

@CUES.register("told")
class Told(Cue):
    def prepare(self, items, model):
        self.report = CueReport()
        masks = []
        for number, item in enumerate(items):
            mask = torch.zeros(10, 10, dtype=torch.bool)
            mask[: 1 + number % 9] = True
            if number % 4:
                self.report.scores[item.name] = number / len(items)
            if number % 3:
                self.report.stuff[item.name] = ["red square", "sky-other-merged" if number % 2 else "lawn"]
            masks.append(self.report.add(item.name, mask))
        return masks
"""
POOR = "dapt.min_area=0.15", "dapt.max_area=0.85", "dapt.trust=score", "dapt.background_label=cue", "dapt.variant=joint"


def settings(*given: str) -> list[str]:
    return [part for each in given for part in ("--set", each)]


@pytest.fixture
def told(arguments, tmp_path: Path) -> Iterator[list[object]]:
    """A run with a cue that knows scores and backgrounds; other tests never hear of it."""
    from dapt.cues.base import CUES

    (tmp_path / "told.py").write_text(TOLD)
    yield [*arguments, "--plugin", tmp_path / "told.py", "--dapt", "--cue", "told", *settings(*POOR)]
    for name in ("told", "worse"):
        CUES._values.pop(name, None)


def test_a_run_says_counts_and_keeps_all_of_it(dapt, told, tmp_path: Path) -> None:
    code, _, err = dapt(*told, *settings("dapt.words=auto", "dapt.word_count=6"))
    said = " ".join(err.split())
    assert code == 0, err
    results = json.loads((tmp_path / "r" / "results.json").read_text())
    config = yaml.safe_load((tmp_path / "r" / "run.yaml").read_text())
    words, counts = results["background_words"], results["counts"]
    assert len(set(words)) == 6
    assert words[:2] == ["lawn", "sky"]  # "red square" is a class
    assert config["dapt"]["words"] == "auto"
    assert config["dapt"]["chosen_words"] == words
    assert "6 background words (2 are the cue's own, 4 of" in said
    images = counts["cue_images"]
    assert (counts["cue_small"], counts["cue_large"]) == (2, 1)
    assert counts["cue_usable"] == images - 3
    assert "2 smaller than dapt.min_area, 1 larger than dapt.max_area" in said
    assert counts["cue_scored"] == images - -(-images // 4)
    assert f"{counts['cue_scored']} of {images} images have a score" in said
    assert counts["background_from_cue"] == images - -(-images // 3)
    assert counts["background_from_view"] + counts["background_from_cue"] + counts["background_nearest"] == images
    assert "background labels of" in said
    code, _, err = dapt("eval", tmp_path / "r", "--json", tmp_path / "again.json")
    assert code == 0, err
    again = json.loads((tmp_path / "again.json").read_text())
    assert again["metrics"]["test/accuracy"] == pytest.approx(results["metrics"]["test/accuracy"])


@pytest.mark.long
def test_a_stopped_run_goes_on_with_the_words_it_chose(dapt, told, tmp_path: Path) -> None:
    from dapt.config import make_config
    from dapt.config_text import read_yaml
    from dapt.runs.train import run_training
    from helpers import stopping

    auto = [*told, *settings("dapt.words=auto", "dapt.word_count=6"), "--epochs", 3]
    assert dapt(*auto)[0] == 0
    run, whole = tmp_path / "r", (tmp_path / "r" / "prompts.safetensors").read_bytes()
    tree = {**read_yaml(run / "run.yaml"), "out": str(tmp_path / "s")}
    tree["dapt"].pop("chosen_words")
    with pytest.raises(KeyboardInterrupt):
        run_training(make_config(tree), after_epoch=stopping(1))
    code, _, err = dapt(*[tmp_path / "s" if part == run else part for part in auto], "--resume")
    assert code == 0, err
    assert "resuming after epoch 1" in err
    assert "background words (" not in err.partition("resuming after")[0].replace("\n", " ")
    assert (tmp_path / "s" / "prompts.safetensors").read_bytes() == whole
    code, _, err = dapt(*auto, *settings("dapt.word_count=7"), "--resume")
    assert code == 2
    assert "was started with dapt.word_count=6, now it is 7" in " ".join(err.split())
    told_before = read_yaml(run / "run.yaml")["dapt"]["chosen_words"]
    code, _, err = dapt("train", "--config", run / "run.yaml", "--out", tmp_path / "t")
    assert code == 0, err  # the very words again, without choosing
    assert read_yaml(tmp_path / "t" / "run.yaml")["dapt"]["chosen_words"] == told_before
    assert (tmp_path / "t" / "prompts.safetensors").read_bytes() == whole


@pytest.mark.long
@pytest.mark.parametrize(
    ("cue", "more"),
    [  # every cue by itself, and every kind of view with one: views are made of masks, whatever the masks come from
        ("gradcam", ()),
        ("random", ()),
        ("masks", ()),
        ("gradcam", ("dapt.views=attention",)),
        ("random", ("dapt.gate=true",)),
        ("masks", ("dapt.fill=blur",)),
    ],
)
def test_with_every_kind_of_cue_and_view(dapt, arguments, tmp_path: Path, cue: str, more: tuple[str, ...]) -> None:
    given = ["--dapt", "--cue", cue, *settings(*POOR, "dapt.words=auto", "dapt.word_count=6", *more)]
    code, _, err = dapt(*arguments, *given, "--epochs", 2)
    said = " ".join(err.split())
    assert code == 0, err
    scored = cue == "gradcam"
    assert ("images have a score" if scored else f"the cue {cue} gives no scores, so all images weigh 1") in said
    counts = json.loads((tmp_path / "r" / "results.json").read_text())["counts"]
    assert {"cue_small", "cue_large", "cue_scored", "background_from_view"} <= set(counts)
    assert counts["background_from_cue"] == 0
    assert bool(counts["cue_scored"]) == scored


@pytest.mark.long
def test_several_processes_agree_with_one(dapt, told, tmp_path: Path) -> None:
    """Words are chosen once, by the first process; labels, areas and trust are the same in all."""
    import torch
    from safetensors.torch import load_file

    auto = [*told, *settings("dapt.words=auto", "dapt.word_count=6"), "--device", "cpu"]
    assert dapt(*auto)[0] == 0
    two = [tmp_path / "two" if part == tmp_path / "r" else part for part in auto]
    code, _, err = dapt(*two, "--devices", 2)
    assert code == 0, err
    one, other = (load_file(tmp_path / name / "prompts.safetensors") for name in ("r", "two"))
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)
    words = [json.loads((tmp_path / name / "results.json").read_text())["background_words"] for name in ("r", "two")]
    assert words[0] == words[1]


@pytest.mark.long
def test_what_is_refused_and_what_is_said(dapt, arguments, told, photos: Path, tmp_path: Path) -> None:
    code, _, err = dapt(*arguments, "--dapt", "--cue", "random", *settings("dapt.min_area=0.9999"))
    assert code == 2
    assert "smaller than dapt.min_area" in " ".join(err.split())
    assert not (tmp_path / "r").exists()
    code, _, err = dapt(*told, *settings("dapt.words=auto", "dapt.word_count=900"))
    assert code == 2
    assert "asked for 900 words" in " ".join(err.split())
    coop = [part for part in told if part not in ("--depth", 3)]  # trains no background text and no image side
    code, _, err = dapt(*coop, "--method", "coop")
    assert code == 0, err
    assert "dapt.background_label=cue changes nothing: L_b does not act" in " ".join(err.split())
    counts = json.loads((tmp_path / "r" / "results.json").read_text())["counts"]
    assert "background_from_cue" not in counts
    code, _, err = dapt(*coop, "--method", "coop", "--overwrite", *settings("dapt.words=auto"))
    assert code == 0, err
    assert "dapt.words=auto changes nothing: L_b does not act in this run" in " ".join(err.split())
    worse = (tmp_path / "told.py").read_text().replace("number / len(items)", "2.0")
    (tmp_path / "worse.py").write_text(worse.replace('"told"', '"worse"'))
    changed = {"told": "worse", tmp_path / "told.py": tmp_path / "worse.py", tmp_path / "r": tmp_path / "w"}
    code, _, err = dapt(*[changed.get(part, part) for part in told])
    assert code == 2
    assert "scores that are not from 0 to 1" in " ".join(err.split())


@pytest.mark.long
def test_a_model_of_a_run_is_saved_with_its_words(dapt, told, tmp_path: Path) -> None:
    import dapt as library

    assert dapt(*told, *settings("dapt.words=auto", "dapt.word_count=6"))[0] == 0
    words = json.loads((tmp_path / "r" / "results.json").read_text())["background_words"]
    library.load_model(tmp_path / "r").save_pretrained(tmp_path / "saved")
    assert library.load_model(tmp_path / "saved").made_with.dapt.used_words == words
    with pytest.raises(library.DaptError, match="chooses words for the training images"):
        library.create_model("demo", "maple", ["a", "b"], dapt={"words": "auto"})


@pytest.mark.long
def test_base_classes_leave_out_the_names_of_all(dapt, tmp_path: Path) -> None:
    """Held-back classes are classes of the data, too."""
    photos = make_folder(tmp_path / "photos")
    (photos / "white_ring").rename(photos / "sand")
    given = ["--method", "maple", "--depth", 2, "--epochs", 1, "--subset", "base", "--shots", 2, "--model", "demo"]
    more = ["--dapt", "--cue", "random", *settings("dapt.words=auto", "dapt.word_count=150")]
    code, _, err = dapt("train", photos, *given, *more, "--out", tmp_path / "r")
    assert code == 0, err
    assert "sand" not in json.loads((tmp_path / "r" / "results.json").read_text())["background_words"]
