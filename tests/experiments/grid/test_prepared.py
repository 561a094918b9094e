"""Cells before they are carried out: ready, or what is wrong with them; and what their key tells apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DaptError, DataError, ModelError
from dapt.experiments.grid.expand import expand
from dapt.experiments.grid.experiment import make_experiment
from dapt.experiments.grid.prepared import CellCheck, Prepared, digest_of_lent
from helpers import make_csv


def prepared(data: Path, **changes: Any) -> Prepared:
    experiment = make_experiment({"data": str(data), "model": "demo", "device": "cpu", **changes}, "x", "/nowhere/out")
    (cell,) = expand(experiment).cells
    return CellCheck(experiment.out)(cell)


def test_a_single_run(table: Path) -> None:
    found = prepared(table, method="coop", shots=2)
    assert len(found.runs) == 1
    assert found.job.protocol is None
    assert found.job.config.out == "/nowhere/out/table-coop-2shot-seed1"
    assert found.train_images == (4, 4, 4, 4)


def test_a_protocol(table: Path) -> None:
    found = prepared(table, protocol="few_shot", over={"few_shot": [1, 2]})
    assert [run.shots for run in found.runs] == [1, 2]
    assert (found.job.protocol, found.job.over) == ("few_shot", ("1", "2"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "zero_shot", "dapt": True}, "zero_shot has no training steps"),
        ({"method": "copo"}, "Did you mean 'coop'"),
        ({"protocol": "few_shots"}, "Did you mean 'few_shot'"),
        ({"device": "cuda:77"}, "cuda"),
        ({"dapt": True, "cue": "bordr"}, "Did you mean 'border'"),
    ],
)
def test_contradictions(table: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DaptError, match=said):
        prepared(table, **changes)


def test_the_key_tells_settings_and_splits_apart_and_nothing_else(table: Path) -> None:
    before = prepared(table, method="coop").key
    assert prepared(table, method="coop", workers=1).key == before, "it decides no result"
    assert prepared(table, method="coop", seed=2).key != before
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:-1], ""]))
    assert prepared(table, method="coop").key != before


def test_data_is_listed_once(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dapt.experiments.grid import prepared as module

    calls: list[str] = []
    load = module.load_data
    monkeypatch.setattr(module, "load_data", lambda data, **how: (calls.append(data), load(data, **how))[1])
    experiment = make_experiment(
        {"data": [str(table), "/nowhere/else"], "model": "demo", "device": "cpu", "seeds": [1, 2, 3]}, "x"
    )
    check = CellCheck(experiment.out)
    for cell in expand(experiment).cells:
        if cell.values["data"] == str(table):
            check(cell)
        else:
            with pytest.raises(DaptError, match="There is no data"):
                check(cell)
    assert len(calls) == 2


def test_options_of_the_method_are_checked(table: Path) -> None:
    with pytest.raises(ConfigError, match="nonsense"):
        prepared(table, **{"prompt.nonsense": 1})


def test_what_is_not_there_is_found_before_anything_runs(photos: Path, table: Path) -> None:
    with pytest.raises(ConfigError, match=r"None of the training images of .* has a mask") as caught:
        prepared(photos, dapt=True, cue="masks")
    assert "the key 'masks'" in caught.value.todo
    prepared(table, dapt=True, cue="masks")
    with pytest.raises(ConfigError, match="There is no mask folder /nowhere/masks") as caught:
        prepared(table, dapt=True, masks="/nowhere/masks")
    assert caught.value.todo == "Check 'masks'."
    prepared(table, masks="/nowhere/masks")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("local-dir:/nowhere/clip", "There is no model folder /nowhere/clip"),
        ("nope", "'nope' is not a model"),
        ("/nowhere/clip", "'/nowhere/clip' is not a model"),
        ("ViT-B-16/opnai", "no pretrained weights 'opnai'.\nDid you mean 'openai'"),
        ("ViT-B-16:/nowhere/weights.pt", "There is no weight file /nowhere/weights.pt"),
        ("ViT-B/16", "no architecture"),
    ],
)
def test_backbones_are_known_before_anything_runs(table: Path, model: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        prepared(table, model=model)
    with pytest.raises(ModelError, match=said):
        prepared(table, method="promptkd", **{"prompt.teacher_model": model})


def audited(data: Path, *over: Any, **changes: Any) -> Prepared:
    points = {"over": {"background_audit": list(over)}} if over else {}
    return prepared(data, protocol="background_audit", method="coop", **points, **changes)


def test_what_an_audit_needs_is_looked_for_before_anything_runs(table: Path, photos: Path) -> None:
    with pytest.raises(DaptError, match="There is no data"):
        audited(table, "/nowhere/lands")
    with pytest.raises(DaptError, match="the very data"):
        audited(table, str(table))
    with pytest.raises(ConfigError, match="names None, which is no point"):
        audited(table, None)
    with pytest.raises(DaptError, match="photos has no masks"):
        audited(photos)
    audited(photos, masks=str(photos.with_name("photos-masks")))


def test_the_key_goes_with_the_photographs_that_lend_backgrounds(table: Path, tmp_path: Path) -> None:
    land = tmp_path / "land"
    land.mkdir()
    Image.new("RGB", (50, 40), (10, 200, 10)).save(land / "1.png")
    before = audited(table, str(land)).key
    assert audited(table, str(land)).key == before
    assert audited(table).key != before
    Image.new("RGB", (50, 40), (10, 200, 11)).save(land / "1.png")
    assert audited(table, str(land)).key != before


def test_photographs_that_lend_backgrounds_are_read_once_for_all_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_data(str(make_csv(tmp_path / "land")))
    read: list[Path] = []
    monkeypatch.setattr("dapt.experiments.grid.prepared._content", lambda path: read.append(path) or path.name)
    contents: dict[Path, str] = {}
    alone, *others = (digest_of_lent(data, seed, contents) for seed in (1, 2, 3))
    assert alone not in others, "another order"
    assert len(read) == len(set(read)) == len(contents) == 64
    assert digest_of_lent(data, 1, {}) == alone


def transferred(data: Path, *targets: Path) -> Prepared:
    return prepared(
        data, protocol="cross_dataset", method="coop", over={"cross_dataset": [str(each) for each in targets]}
    )


def test_the_key_goes_with_the_data_that_is_tested_on(table: Path, photos: Path) -> None:
    before = transferred(table, photos).key
    assert transferred(table, photos).key == before
    test = next(item for item in load_data(str(photos)).splits["test"])
    test.path.unlink()
    assert transferred(table, photos).key != before


def test_data_to_test_on_is_there_before_anything_runs(table: Path, photos: Path) -> None:
    with pytest.raises(DataError, match="1 of 2 data sets to evaluate on") as caught:
        transferred(table, photos, Path("/nowhere/birds"))
    assert caught.value.more[0].startswith("/nowhere/birds: There is no data")
