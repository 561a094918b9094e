"""The last words of a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.results import RunResults
from dapt.runs.closing import behind_of, confusions, few_images, mask_option, next_commands, tell, worth
from dapt.runs.run_data import load_run_data
from helpers import run_with


def results(own: float | None = 80.0, images: int = 100, **more: object) -> RunResults:
    metrics = {"test/accuracy": own, **dict(more.pop("metrics", {}))}  # type: ignore[call-overload]
    given = {"method": "maple", "dapt": False, "backbone": "demo", "data": "d", "shots": 4, "seed": 1}
    return RunResults(**{**given, "metrics": metrics, "counts": {"test": images, "test_novel": images}, **more})


def test_the_figure_has_an_interval_and_company() -> None:
    found = results(baselines={"zero_shot": {"test/accuracy": 50.0}, "gda": {"test/accuracy": 82.0}})
    assert worth(found) == [
        "accuracy 80.0% (95% interval 71.1 to 86.7, 100 test images); "
        "without training Zero-shot CLIP 50.0% and GDA 82.0%"
    ]


def test_held_back_classes_have_a_line_of_their_own() -> None:
    found = results(
        metrics={"test/accuracy_novel": 60.0},
        baselines={"zero_shot": {"test/accuracy": 1.0, "test/accuracy_novel": 64.0}},
    )
    assert worth(found)[1] == (
        "accuracy on held-back classes 60.0% (95% interval 50.2 to 69.1, 100 test images); "
        "without training Zero-shot CLIP 64.0%"
    )


def test_without_test_images_nothing_is_claimed() -> None:
    assert worth(results(None)) == []
    assert behind_of(results(None)) is None


@pytest.mark.parametrize(
    ("baseline", "images", "told"),
    [
        (79.0, 100, None),
        (80.0, 100, None),
        (82.0, 100, "better on the test images by 2.0 points, though chance may make as much"),
        (95.0, 100, "better on the test images by 15.0 points. Try --method gda"),
    ],
)
def test_a_better_baseline_is_told(baseline: float, images: int, told: str | None) -> None:
    found = behind_of(results(images=images, baselines={"gda": {"test/accuracy": baseline}}))
    assert found is None if told is None else told in str(found)


def test_the_best_of_several_is_offered() -> None:
    both = {"zero_shot": {"test/accuracy": 90.0}, "gda": {"test/accuracy": 85.0}}
    assert "--method zero_shot" in str(behind_of(results(baselines=both)))


def test_confusions_are_those_of_most_images() -> None:
    table = {"cat": {"cat": 5, "lynx": 3}, "lynx": {"cat": 1, "lynx": 9}, "dog": {"dog": 4}}
    assert confusions(table) == "cat for lynx (3 of 8), lynx for cat (1 of 10)"
    assert confusions({"dog": {"dog": 4}}) == ""


def test_commands_can_be_pasted_for_any_folder() -> None:
    found = next_commands(Path("my runs/it's"), "my photos", " --cue border")
    assert found[1].startswith("""  dapt predict 'my runs/it'"'"'s' PHOTO.jpg""")
    assert "'my photos' --cue border   how much" in found[3]


@pytest.mark.parametrize(
    ("masks", "own", "option"),
    [("m y", True, " --masks 'm y'"), (None, True, ""), (None, False, " --cue border")],
)
def test_an_audit_takes_the_masks_there_are(
    table: Path, tiny_spec: str, tmp_path: Path, masks: str | None, own: bool, option: str
) -> None:
    config = make_config(run_with(table, tiny_spec, tmp_path / "run"))
    data = load_run_data(config)
    if not own:
        bare = tuple(replace(item, mask=None) for item in data.test.items)
        data = replace(data, test=replace(data.test, items=bare))
    assert mask_option(config.model_copy(update={"masks": masks}), data) == option


def test_all_of_it(table: Path, tiny_spec: str, tmp_path: Path, capsys) -> None:
    config = make_config(run_with(table, tiny_spec, tmp_path / "run", shots=16))
    data = load_run_data(config)
    found = results(baselines={"gda": {"test/accuracy": 95.0}}, confusion={"a": {"b": 2}})
    tell(found, Path("r"), config, data)
    err = capsys.readouterr().err
    assert "GDA, which takes no training, is better" in err
    assert "a for b (2 of 2)" in err
    assert few_images(config, data) == dict.fromkeys(data.train.names, 4)
    assert "'red square' (4), 'blue disc' (4) and 'green bar' (4), and 1 more class" in err
