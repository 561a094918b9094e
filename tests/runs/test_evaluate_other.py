"""What is asked of other data: images, classes, and every image that is left out, counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import UNLABELLED, ImageSet, Item
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.results import RunResults
from dapt.runs.evaluate_other import Asked, ask_other, other_splits

TRAINED = ["cat", "dog", "cow", "hen"]


def images(split: str, *labels: int) -> tuple[Item, ...]:
    return tuple(Item(Path(f"/zoo/{split}{n}.png"), label, f"{split}{n}.png") for n, label in enumerate(labels))


ZOO = ImageSet(
    "zoo",
    Path("/zoo"),
    ("Dog", "ufo", "cat"),
    {"train": images("a", 0, 1, 2), "val": images("b", 2), "test": images("c", 0, 1, UNLABELLED)},
    divided=True,
)


def results(**changes: object) -> RunResults:
    known = {"method": "m", "dapt": False, "backbone": "b", "data": "d", "shots": 1, "seed": 1, "metrics": {}}
    return RunResults(**{**known, **changes})


def ask(split: str = "all", classes: str | None = None, data: ImageSet = ZOO, **given: object) -> Asked:
    return ask_other(data, split, classes, TRAINED, given.pop("results", results()), **given)


@pytest.mark.parametrize(
    ("split", "used", "unused"),
    [
        ("all", 4, {"without a label": 1, "of classes that are not asked about": 2}),
        ("test", 1, {"in other splits": 4, "without a label": 1, "of classes that are not asked about": 1}),
        ("val", 1, {"in other splits": 6}),
    ],
)
def test_used_and_unused_are_all_there_is(split: str, used: int, unused: dict[str, int], capsys) -> None:
    found = ask(split)
    assert found.unused == unused
    assert used + sum(unused.values()) == found.there["images"] == 7
    assert found.counts(used)["images_there"] == 7
    assert found.part.names == tuple(TRAINED), "the question is that of the training"
    said = capsys.readouterr().err
    if split != "val":
        lost = unused["of classes that are not asked about"]
        images = "1 image is" if lost == 1 else f"{lost} images are"
        assert f"1 of its 3 classes is none that the model is asked about, so {images} not used: 'uf" in said
        assert "1 image has no label" in said
    assert "'Dog' is 'dog'" in said


def test_what_is_asked_without_images_is_said(capsys) -> None:
    found = ask()
    assert found.absent == ("cow", "hen")
    assert found.unknown == {"ufo": 2}
    assert "asked among 4 classes, of which 2 have images there; without: 'cow', 'hen'" in capsys.readouterr().err
    assert found.counts(4) == {**{"images": 4, "images_there": 7, "classes": 2, "classes_asked": 4, "classes_there": 3}}


@pytest.mark.parametrize("classes", ["data", "all"])
def test_the_datas_own_classes(classes: str, capsys) -> None:
    found = ask(classes=classes)
    assert found.part.names == ZOO.names
    assert len(found.part.items) == 6
    assert "asked about" not in capsys.readouterr().err


def test_a_model_that_cannot_name_others_is_asked_in_its_own_words() -> None:
    part = ImageSet("zoo", Path("/zoo"), ("Dog", "cat"), {"test": images("c", 0, 1)})
    assert ask("test", "data", part, fixed=True).part.names == ("dog", "cat")
    assert ask("test", "data", part).part.names == ("Dog", "cat")
    for classes in ("data", "cat,ufo"):
        with pytest.raises(NotSupportedError, match=r"'ufo' of zoo is no trained one[\s\S]*Leave --classes out"):
            ask(classes=classes, fixed=True)
    assert ask(fixed=True).part.names == tuple(TRAINED)


def test_halves_are_those_of_the_run() -> None:
    assert ask(classes="base").part.names == ("cat", "dog")
    base = results(subset="base", per_class=dict.fromkeys([*TRAINED, "ufo"], 1.0))
    assert ask(classes="novel", results=base).part.names == ("ufo",)
    assert ask(classes="base", results=base).part.names == tuple(TRAINED)
    with pytest.raises(ConfigError, match="does not tell which classes were held back"):
        ask(classes="novel", results=results(subset="base"))
    with pytest.raises(DataError, match="None of the 3 classes of zoo"):
        ask(classes="novel")  # cow and hen


def test_named_classes(capsys) -> None:
    found = ask(classes="ufo, DOG,hen")
    assert found.part.names == ("ufo", "dog", "hen")
    assert sorted(found.part.labels) == [0, 0, 1, 1]
    assert "none that the model" not in capsys.readouterr().err, "it was the user's choice"
    with pytest.raises(ConfigError, match=r"has a class 'dgo'[\s\S]*Did you mean '[dD]og'"):
        ask(classes="dgo,cat")
    with pytest.raises(ConfigError, match="named twice"):
        ask(classes="cat,Cat")
    with pytest.raises(ConfigError, match="No class is named"):
        ask(classes=" , ")


def test_nothing_to_ask_about_is_refused_with_the_way_out() -> None:
    strange = ImageSet("sky", Path("/sky"), ("sun", "moon"), {"test": images("c", 0, 1)})
    with pytest.raises(
        DataError, match=r"None of the 2 classes of sky \('sun', 'moon'\)[\s\S]*--classes data[\s\S]*--n"
    ):
        ask("test", data=strange)
    half = ImageSet("sky", Path("/sky"), ("sun", "cat"), {"test": images("c", 0), "train": images("a", 1)})
    with pytest.raises(DataError, match="No image of its test split of sky shows one of the classes that are trained"):
        ask("test", data=half)
    with pytest.raises(DataError, match=r"no labelled images in its val split[\s\S]*--split all"):
        ask("val", data=half)


def test_why_all_images_are_looked_at_is_said(capsys) -> None:
    ask(chosen=False)
    assert (
        "4 of its 7 images are looked at, those of all splits, as it has no splits of its own."
        in capsys.readouterr().err
    )
    ask("test")
    assert "the 2 images of the share that dapt would test on are looked at, not the 3 of train and 1 of val" in (
        capsys.readouterr().err
    )


def test_where_the_images_are_is_said() -> None:
    items = tuple(Item(Path(str(number)), 0, str(number)) for number in range(3))
    source = ImageSet("x", Path("x"), ("a",), {"train": items[:1], "val": items[1:], "test": ()})
    assert other_splits(source, "test") == "Pass --split val or --split all for the images that it has."
    assert other_splits(source, "all") == ""
    only = ImageSet("x", Path("x"), ("a",), {"train": items})
    assert other_splits(only, "test") == "Pass --split all for the images that it has."
