"""Which models are explained, by which foreground, and which of many images."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import dapt
from dapt.errors import ConfigError, DataError
from dapt.evenly import evenly
from dapt.runs.explain import (
    Foreground,
    Models,
    explain_all,
    is_run,
    load_models,
    make_explainer,
    name_items,
    say_missing,
    zero_shot_of,
)
from helpers import draw, tiny_clip

RESNET = {"vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16}}


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "photos" / "cat" / f"{number}.png" for number in range(2)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        draw("red_square", number)[0].save(path)
    return paths


def test_before_and_after(trained: Path) -> None:
    models = load_models(trained, device="cpu")
    assert models.before is not None
    assert models.after is not None
    assert [subject.title for subject in models.subjects([])] == ["before (zero-shot)", "after (maple)"]
    assert models.before.clip is models.after.clip, "one frozen model for both"
    assert models.before.names == models.after.names
    assert models.before.prompts.count() == 0
    assert models.first is models.before
    models = load_models(trained, classes=["cat", "dog"], device="cpu")
    assert [subject.model.names for subject in models.subjects([])] == [["cat", "dog"]] * 2


def test_zero_shot_alone(tiny_spec: str) -> None:
    models = load_models(None, model_spec=tiny_spec, classes=["cat", "dog"], device="cpu")
    assert [subject.title for subject in models.subjects([])] == ["zero-shot"]
    with pytest.raises(ConfigError, match="needs classes"):
        load_models(None, model_spec=tiny_spec)


def test_zero_shot_reads_images_as_the_run_does() -> None:
    made = dapt.create_model(tiny_clip(), "coop", ["cat"])
    before = zero_shot_of(made)
    assert before.preprocess.reading == made.preprocess.reading
    assert before.made_with.method == "zero_shot"


def test_a_run_is_known_by_what_is_in_it(trained: Path, photos: list[Path]) -> None:
    assert is_run(trained)
    assert not is_run(photos[0])
    assert not is_run(photos[0].parent)
    (photos[0].parent / "prompts.safetensors").touch()  # a saved model: no run, but not photographs either
    assert is_run(photos[0].parent)


def test_evenly_chosen() -> None:
    paths = [Path(f"{number}.png") for number in range(10)]
    assert evenly(paths, 10) == evenly(paths, 99) == paths
    assert [path.stem for path in evenly(paths, 5)] == ["0", "2", "4", "6", "8"]
    assert len(evenly(paths, 3)) == 3


def test_masks_mirror_any_end_of_the_path(tmp_path: Path, photos: list[Path]) -> None:
    masks = tmp_path / "masks"
    (masks / "cat").mkdir(parents=True)
    Image.new("L", (48, 40), 255).save(masks / "cat" / "0.png")
    assert [item.name for item in name_items(photos, Foreground(masks))] == ["cat/0.png", "1.png"]
    Image.new("L", (48, 40), 255).save(masks / "1.jpg")
    assert [item.name for item in name_items(photos, Foreground(masks))] == ["cat/0.png", "1.png"]
    assert [item.name for item in name_items(photos, Foreground())] == [str(path) for path in photos]


def test_masks_are_those_of_the_folder(tmp_path: Path, photos: list[Path]) -> None:
    masks = tmp_path / "masks"
    (masks / "cat").mkdir(parents=True)
    half = Image.new("L", (48, 40))
    half.paste(255, (0, 0, 24, 40))
    half.save(masks / "cat" / "0.png")
    foreground = Foreground(masks)
    model = dapt.create_model(tiny_clip(), "zero_shot", ["cat", "dog"]).eval()
    explainer = make_explainer(Models(model, None), foreground, [])
    one, two = explain_all(explainer, name_items(photos, foreground))
    assert one.coverage == pytest.approx(0.5, abs=0.05)
    assert two.problem == "no foreground was found"


def test_masks_of_another_format_are_pointed_out(tmp_path: Path, photos: list[Path], capsys) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in photos:
        Image.new("L", (48, 40), 1).save(masks / path.name)
    foreground = Foreground(masks)
    model = dapt.create_model(tiny_clip(), "zero_shot", ["cat", "dog"]).eval()
    found = list(explain_all(make_explainer(Models(model, None), foreground, []), name_items(photos, foreground)))
    assert [one.problem for one in found] == ["no foreground was found"] * 2
    assert "2 of 2 masks are of no use when they are read as 'binary'" in capsys.readouterr().err.replace("\n", " ")


def test_the_default_cue_asks_nothing_of_the_model(photos: list[Path]) -> None:
    model = dapt.create_model(tiny_clip(**RESNET), "zero_shot", ["cat", "dog"]).eval()
    explainer = make_explainer(Models(model, None), Foreground(), [])
    assert Foreground().words == "guessed by border"
    assert all(
        one.problem in ("", None, "no foreground was found")
        for one in explain_all(explainer, name_items(photos, Foreground()), default_cue=True)
    )


def test_a_default_cue_that_the_model_lacks_is_told_and_one_asked_for_refused(
    photos: list[Path], capsys, monkeypatch
) -> None:
    monkeypatch.setattr("dapt.runs.explain.DEFAULT_CUE", "gradcam")
    model = dapt.create_model(tiny_clip(**RESNET), "zero_shot", ["cat", "dog"]).eval()
    items = name_items(photos, Foreground())
    explainer = make_explainer(Models(model, None), Foreground(), ["gradcam"])
    found = list(explain_all(explainer, items, default_cue=True))
    assert [one.mask for one in found] == [None, None]
    say_missing(explainer, ["0.png", "1.png"], 2)
    told = capsys.readouterr().err.replace("\n", " ")
    assert "No foreground: " in told
    assert "--masks" in told
    assert "gradcam cannot be shown" in told
    assert "no class token" in told
    explainer = make_explainer(Models(model, None), Foreground(cue="gradcam"), [])
    with pytest.raises(dapt.DaptError, match="no transformer blocks"):
        list(explain_all(explainer, items))


def test_masks_of_other_images_are_no_masks_and_guessed_ones_no_truth(
    tmp_path: Path, photos: list[Path], capsys
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.new("L", (48, 40), 255).save(masks / "other.png")
    with pytest.raises(DataError, match="None of the images has a mask"):
        name_items(photos, Foreground(masks))
    Image.new("L", (48, 40), 255).save(masks / photos[0].name)
    name_items(photos, Foreground(masks))
    assert f"1 of 2 images have no mask in {masks}: {photos[1].name}" in " ".join(capsys.readouterr().err.split())
    assert Foreground(masks).made_by == ""
    (masks / "masks.json").write_text('{"settings": {"cue": "border"}}')
    assert Foreground(masks).words == f"masks in {masks}, guessed by border"


def test_images_without_a_foreground_are_named_and_one_is_one(photos: list[Path], capsys) -> None:
    model = dapt.create_model(tiny_clip(), "zero_shot", ["cat", "dog"]).eval()
    explainer = make_explainer(Models(model, None), Foreground(), [])
    say_missing(explainer, ["a.png", "b.png", "c.png", "d.png"], 9)
    told = " ".join(capsys.readouterr().err.split())
    assert "4 of 9 images have no foreground of use" in told
    assert told.endswith("a.png, b.png, c.png and 1 more")
    say_missing(explainer, ["a.png"], 1)
    assert "1 of 1 image has no foreground of use" in " ".join(capsys.readouterr().err.split())


def test_two_sources_of_the_foreground(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two sources"):
        Foreground(tmp_path, cue="random")
    with pytest.raises(ConfigError, match="belong to none"):
        Foreground(cue="dataset")
    assert Foreground(tmp_path, cue="masks").source == "masks"
    assert Foreground(cue="gradcam").words == "guessed by Grad-CAM"
    assert (Foreground(cue="none").words, Foreground(cue="none").made_by) == ("not looked for", ""), "nobody guesses"
