"""The figures of an audit on the terminal."""

from __future__ import annotations

import copy

import pytest

from audit_helpers import VARIANTS, small_audit
from dapt.runs.audit_run import Audit
from dapt.runs.audit_table import (
    asked_words,
    compared,
    explained,
    guess_note,
    lines_of_figures,
    print_audit,
    shown,
)


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return small_audit(tmp_path_factory.mktemp("audit"))


def test_a_figure_and_its_interval() -> None:
    assert shown({"value": 81.23, "low": 78.0, "high": 84.06, "images": 3}) == "81.2 [78.0, 84.1]"
    assert shown({"value": -1.0, "low": -3.0, "high": 1.0, "images": 3}, signed=True) == "-1.0 [-3.0, +1.0]"
    assert shown({"value": None, "low": None, "high": None, "images": 0}) == shown(None) == "-"


def test_every_figure_of_every_model(audit: Audit) -> None:
    rows = lines_of_figures(audit.record)
    assert len(rows) == VARIANTS + 3 + 4 + 6
    assert {len(row.cells) for row in rows} == {len(row.numbers) for row in rows} == {2}
    assert rows[0] == ("original", [shown(model["accuracy"]["original"]) for model in audit.record["models"]], [8, 8])
    (sentence,) = compared(audit.record)
    assert sentence.startswith("zero-shot model1 against zero-shot model0: original ")
    assert "McNemar p = " in sentence


def test_printed(audit: Audit, capsys: pytest.CaptureFixture[str]) -> None:
    print_audit(audit.record)
    out = capsys.readouterr().out
    assert "8 images, 4 classes" in out
    assert "BG-gap" in out
    assert "zero-shot model1 against zero-shot model0" in out
    assert "guess" not in out


def test_guesses_are_told_beside_the_figures(audit: Audit, capsys: pytest.CaptureFixture[str]) -> None:
    record = copy.deepcopy(audit.record)
    record["masks"] = {"guessed": True, "words": "of the cue gradcam"}
    assert guess_note(record) == "Masks are guesses of the cue gradcam."
    print_audit(record)
    assert "Masks are guesses of the cue gradcam." in " ".join(capsys.readouterr().out.split())


def test_of_one_class_what_there_is(audit: Audit) -> None:
    record = copy.deepcopy(audit.record)
    for model in record["models"]:
        for key in ("bg_gap", "changed", "lost"):
            del model[key]
        model["taken_for_background"] = model["same_answer_to_original"] = {}
        for part in model["by_size"]:
            del part["bg_gap"]
    record["comparisons"][0].pop("bg_gap")
    assert len(lines_of_figures(record)) == VARIANTS + 3
    assert "BG-gap" not in compared(record)[0]
    assert explained(record) == ["No BG-gap: no image has both mixed_same and mixed_rand.", "Chance is 25.0."]


def test_each_row_tells_over_how_many_images_it_is(audit: Audit) -> None:
    record = copy.deepcopy(audit.record)
    record["variants"]["mixed_same"]["images"] = 7
    for model, right in zip(record["models"], (3, 5), strict=True):
        model["bg_gap"]["images"] = model["accuracy"]["mixed_same"]["images"] = 6
        model["lost"]["images"] = right
    numbers = {line.name: line.n for line in lines_of_figures(record, brief=True)}
    assert (numbers["original"], numbers["mixed_same"], numbers["BG-gap"]) == ("8", "6", "6")
    assert numbers["right answers lost"] == "3/5", "one for each model where they differ"
    gap, *_, chance = explained(record)
    assert gap.startswith(
        "BG-gap: mixed_same less mixed_rand, over the 6 images with both; mixed_same alone is over 7,"
    )
    assert "Chance is 25.0" in chance
    assert ", n = 8, McNemar p = " in compared(record)[0]


@pytest.mark.parametrize(
    ("low", "high", "p", "said"),
    [(2.8, 22.2, 0.125, True), (-1.0, 3.0, 0.01, True), (2.8, 22.2, 0.01, False), (0.0, 22.2, 0.125, False)],
)
def test_an_interval_and_a_test_that_do_not_agree(audit: Audit, low: float, high: float, p: float, said: bool) -> None:
    record = copy.deepcopy(audit.record)
    (pair,) = record["comparisons"]
    for variant in ("original", "mixed_rand"):
        pair["accuracy"][variant] |= {"value": 11.1, "low": -1.0, "high": 1.0}
        pair["mcnemar"][variant] = {"only_first": 0, "only_second": 4, "p": 0.5}
    pair["accuracy"]["original"] |= {"low": low, "high": high}
    pair["mcnemar"]["original"]["p"] = p
    _, *more = compared(record)
    assert len(more) == said
    if said:
        assert "do not agree (original of zero-shot model1 against zero-shot model0, where 4 images are" in more[0]
        assert "go by the test" in more[0]


def test_which_images_of_the_data() -> None:
    said = {
        (split, divided): asked_words({"split": split, "divided": divided})
        for split in ("test", "all")
        for divided in (True, False)
    }
    assert said == {
        ("test", False): "test",
        ("test", True): "the test share that dapt made",
        ("all", False): "all splits",
        ("all", True): "undivided",
    }


def test_what_rounds_to_zero_has_no_minus() -> None:
    figure = {"value": -0.01, "low": -1e-14, "high": 0.0}
    assert shown(figure, signed=True) == "+0.0 [+0.0, +0.0]"
