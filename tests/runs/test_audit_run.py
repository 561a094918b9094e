"""An audit from models and data to figures: the record, the same again, and the table of all images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audit_helpers import VARIANTS, small_audit
from dapt.data.load.reading import use_matte
from dapt.errors import ConfigError, DataError
from dapt.evaluation.audit.variants import MIXED
from dapt.runs.audit_images import Question
from dapt.runs.audit_models import open_models
from dapt.runs.audit_run import AUDIT_KEYS, Audit, image_rows, prepare_audit, run_audit
from dapt.runs.evaluate_run import evaluate_saved
from helpers import make_csv, make_folder


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return small_audit(tmp_path_factory.mktemp("audit"))


def test_the_record(audit: Audit) -> None:
    record = audit.record
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert set(record) >= AUDIT_KEYS
    assert record["schema"] == 1
    assert record["images"] == 8
    assert {name: each["images"] for name, each in record["variants"].items()} == dict.fromkeys(record["variants"], 8)
    assert len(record["variants"]) == VARIANTS
    assert [model["name"] for model in record["models"]] == ["zero-shot model0", "zero-shot model1"]
    assert [model["method"] for model in record["models"]] == ["zero_shot"] * 2
    assert record["size"] == 32, "as the models look"
    assert record["seconds"]["pictures"] == 2 * 8 * VARIANTS
    for model in record["models"]:
        for figure in (*model["accuracy"].values(), model["bg_gap"], model["changed"]):
            assert figure["low"] <= figure["value"] <= figure["high"]


def test_a_sample_is_put_on_the_backgrounds_of_all(audit: Audit, tmp_path: Path) -> None:
    found = small_audit(Path(audit.record["place"]).parent, models=1, limit=4)
    assert (found.record["images"], found.record["limit"], found.record["unused"]["over the limit"]) == (4, 4, 4)
    assert (found.record["donors"]["images"], found.record["donors"]["only_lend"]) == (8, 4)
    assert {each["images"] for each in found.record["variants"].values()} == {4}
    assert found.record["seconds"]["pictures"] == 4 * VARIANTS
    rows, everything = image_rows(found)[1], image_rows(audit)[1]
    whole = {row[0]: row[: 6 + VARIANTS] for row in everything}
    assert len(rows) == 4
    assert rows == [whole[row[0]] for row in rows], "the same donors, and the same answers, as without --limit"
    assert {name for row in rows for name in row[3:6]} - {row[0] for row in rows}, "some only lend"


@pytest.mark.long
def test_the_same_question_has_the_same_answer(audit: Audit, tmp_path: Path) -> None:
    place = Path(audit.record["place"]).parent
    again, other = small_audit(place), small_audit(place, seed=2)
    figures = ("models", "comparisons", "variants", "object_percent")
    assert [again.record[key] for key in figures] == [audit.record[key] for key in figures]
    for kind in MIXED:
        assert (again.material.donors.of[kind] == audit.material.donors.of[kind]).all()
    assert any((other.material.donors.of[kind] != audit.material.donors.of[kind]).any() for kind in MIXED)


def test_the_table_of_images(audit: Audit) -> None:
    head, rows = image_rows(audit)
    assert len(rows) == 8
    assert {len(row) for row in rows} == {len(head)}
    assert head[:6] == ["image", "class", "object_percent", *(f"{kind}_background" for kind in MIXED)]
    column = head.index("zero-shot model1: mixed_rand")
    right = np.mean([row[column] == row[1] for row in rows])
    assert 100 * right == pytest.approx(audit.record["models"][1]["accuracy"]["mixed_rand"]["value"])
    classes = {row[0]: row[1] for row in rows}
    for row in rows:
        assert classes[row[3]] == row[1], "mixed_same"
        assert row[0] not in row[3:6]


def test_a_run_answers_the_originals_as_in_its_evaluation(trained: Path, tmp_path: Path) -> None:
    data = str(trained.parent / "table" / "index.csv")
    found = run_audit(open_models([str(trained)], device="cpu"), Question(data), device="cpu")
    figures, _ = evaluate_saved(trained, json_file=tmp_path / "f.json", device="cpu")
    (model,) = found.record["models"]
    assert model["accuracy"]["original"]["value"] == figures.metrics["test/accuracy"]
    assert model["method"] == "maple"
    assert model["leaks"] is None


def test_answers_to_images_that_are_read_otherwise_are_others(audit: Audit) -> None:
    question = Question(str(Path(audit.record["place"]) / "index.csv"))
    prepared = prepare_audit([], question, size=20)
    key = prepared.key
    try:
        use_matte("black")
        assert prepared.key != key, "an interrupted audit does not go on with another colour behind images"
    finally:
        use_matte(None)
    assert prepared.key == key


def test_without_models_composites_are_only_made(tmp_path: Path) -> None:
    found = run_audit([], Question(str(make_csv(tmp_path / "t"))), size=20)
    assert found.answers == {}
    assert found.record["models"] == found.record["comparisons"] == []
    assert found.record["size"] == 20
    assert found.scenes.variants(0, ["original"])["original"].shape[1:] == (20, 24)


@pytest.mark.long
def test_one_class(tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "one", per_class=3, classes=1)
    question = Question(str(photos), split="all", masks=str(tmp_path / "one-masks"))
    found = run_audit(open_models(["demo"], device="cpu"), question, device="cpu")
    assert "mixed_same" in found.variants
    assert not {"mixed_rand", "mixed_next"} & set(found.variants)
    assert "bg_gap" not in found.record["models"][0]


def test_one_image(tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "one", per_class=1, classes=1)
    question = Question(str(photos), split="all", masks=str(tmp_path / "one-masks"))
    with pytest.raises(DataError, match="only image with a mask of use"):
        run_audit([], question)


def test_no_colour(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no colour"):
        run_audit([], Question(str(make_csv(tmp_path / "t"))), blank="blak")
