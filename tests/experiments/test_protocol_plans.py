"""The runs and evaluations of each protocol, as published and as asked for, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import PROTOCOLS, OtherData, Plan, get_protocol

OUT = Path("/out")
CSC = {"method": "coop.csc"}


def plan(name: str, *over: str, **settings: object) -> Plan:
    return get_protocol(name, over).plan({"data": "/d/birds", "model": "demo", **settings}, OUT)


def test_few_shot_as_published_and_as_asked() -> None:
    found = plan("few_shot", seed=2)
    assert {name: (run.shots, run.out) for name, run in found.runs.items()} == {
        f"{shots} shots": (shots, f"/out/{shots}shot") for shots in (1, 2, 4, 8, 16)
    }
    assert {run.seed for run in found.runs.values()} == {2}
    assert (found.evaluations, found.averaged) == ((), ())
    assert [run.shots for run in plan("few-shot", "3", "5", shots=9).runs.values()] == [3, 5]


def test_base_to_novel_is_one_run_on_base_classes() -> None:
    found = plan("base_to_novel")
    assert {name: (run.subset, run.out) for name, run in found.runs.items()} == {"birds": ("base", "/out/base")}
    assert plan("base_to_novel", subset="base").runs == found.runs


def test_cross_dataset_trains_once_and_tests_on_all_others() -> None:
    found = plan("cross_dataset", data="imagenet")
    assert {name: (run.data, run.out) for name, run in found.runs.items()} == {"imagenet": ("imagenet", "/out/source")}
    assert len(found.evaluations) == len(found.averaged) == 10
    assert found.evaluations[0] == OtherData("caltech101", "imagenet", "caltech101")
    assert "dtd" not in plan("cross_dataset", data="dtd").averaged, "the source is no target"
    asked = plan("cross_dataset", "/e/cats", "/e/dogs.csv")
    assert asked.evaluations == (OtherData("cats", "birds", "/e/cats"), OtherData("dogs", "birds", "/e/dogs.csv"))
    assert asked.averaged == ("cats", "dogs")


def test_domain_generalisation_is_of_imagenet_or_of_named_variants() -> None:
    found = plan("domain_generalisation", data="imagenet")
    assert found.averaged == ("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r")
    assert plan("domain_generalisation", "/e/sketches").averaged == ("sketches",)
    with pytest.raises(ConfigError, match="are of ImageNet, not of /d/birds"):
        plan("domain_generalisation")


def test_data_efficient_goes_from_five_to_all_percent() -> None:
    found = plan("data_efficient")
    assert {name: (run.select, run.fraction) for name, run in found.runs.items()} == {
        **{"5%": ("uniform", 0.05), "10%": ("uniform", 0.1), "20%": ("uniform", 0.2), "30%": ("uniform", 0.3)},
        **{"50%": ("uniform", 0.5), "100%": (None, 1.0)},
    }
    assert len({run.out for run in found.runs.values()}) == 6
    asked = plan("data_efficient", "0.25", select="herding")
    assert [(run.select, run.fraction, run.out) for run in asked.runs.values()] == [
        ("herding", 0.25, "/out/herding0.25")
    ]


@pytest.mark.parametrize(
    ("name", "over", "settings", "message"),
    [
        ("few_shot", ("many",), {}, "--over many: few_shot goes over shots"),
        ("few_shot", ("1.5",), {}, "goes over shots"),
        ("few_shot", ("0",), {}, "an image per class at least"),
        ("few_shot", (), {"subset": "base"}, "few_shot trains on all classes"),
        ("base_to_novel", ("1",), {}, "goes over nothing"),
        ("base_to_novel", (), CSC, "belongs to its training classes"),
        ("cross_dataset", ("/e/cats",), CSC, "belongs to its training classes"),
        ("cross_dataset", ("/e/cats",), {"subset": "base"}, "trains on all classes"),
        ("cross_dataset", ("/e/birds",), {}, "have the same name: birds, birds"),
        ("cross_dataset", ("/e/cats", "/f/cats.csv"), {}, "have the same name: birds, cats, cats"),
        ("data_efficient", ("half",), {}, "goes over fractions"),
        ("data_efficient", ("0",), {}, "not between 0 and 1"),
        ("data_efficient", ("1.5",), {}, "not between 0 and 1"),
        ("data_efficient", ("nan",), {}, "not between 0 and 1"),
        ("data_efficient", (), {"fraction": 0.5}, "--over, not with --fraction"),
    ],
)
def test_what_contradicts_a_protocol(name: str, over: tuple[str, ...], settings: dict, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(name, *over, **settings)
    assert message in caught.value.message


def test_every_protocol_says_where_it_was_published() -> None:
    assert PROTOCOLS.names() == [
        *("background_audit", "base_to_novel", "cross_dataset", "data_efficient", "domain_generalisation", "few_shot")
    ]
    for name in PROTOCOLS.names():
        found = get_protocol(name)
        assert found.name == name
        assert found.title
        assert "arXiv" in found.paper


def test_names_that_there_are_not() -> None:
    with pytest.raises(ConfigError) as caught:
        get_protocol("few_shots")
    assert "few_shot" in caught.value.todo
    with pytest.raises(ConfigError, match="names 4 twice"):
        get_protocol("few_shot", ["4", "8", "4"])


def test_background_audit_is_one_run_that_is_audited() -> None:
    found = plan("background_audit")
    assert [(key, run.subset, run.out) for key, run in found.runs.items()] == [("all", "all", "/out/all")]
    assert [(step.point, step.run) for step in found.audits] == [("audit", "all")]
    with pytest.raises(ConfigError, match="one other data set at most"):
        plan("background_audit", "lands", "seas")
    assert [step.backgrounds for step in found.audits] == [""]
    assert [step.backgrounds for step in plan("background_audit", "lands").audits] == ["lands"]


def test_points_are_texts_paths_or_numbers_and_a_single_one_needs_no_list() -> None:
    assert get_protocol("background_audit", [Path("img")]).over == ("img",)
    assert (
        get_protocol("background_audit", "img").over == get_protocol("background_audit", Path("img")).over == ("img",)
    )
    assert get_protocol("few_shot", [1, 4]).over == ("1", "4")
    assert get_protocol("few_shot", 4).over == ("4",)
    assert get_protocol("data_efficient", 0.5).over == ("0.5",)
    for strange in ([None], [True], [""], [["a"]]):
        with pytest.raises(ConfigError, match="no point of a protocol"):
            get_protocol("background_audit", strange)  # type: ignore[arg-type]
