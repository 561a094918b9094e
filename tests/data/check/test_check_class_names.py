"""Class names that a model cannot tell apart or does not know, and names that are fine."""

from __future__ import annotations

import unicodedata

import open_clip
import pytest

from dapt.clip.tokens import Tokenizer
from dapt.data.check.class_names import name_findings, plain


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(open_clip.SimpleTokenizer(context_length=77), 77)


def kinds(names: list[str], tokenizer: Tokenizer | None = None, **more: bool) -> dict[str, tuple[str, ...]]:
    return {one.kind: one.names for one in name_findings(names, tokenizer, **more)}


GOOD = [
    *("golden retriever", "Boeing 737", "A320", "DC-10", "BMW", "2012 Audi A4", "7-Up", "St. Bernard", "élan", "niño"),
    *(
        "Schäferhund",
        "Crème brûlée",
        "cat",
        "cat (wild)",
        "x",
        "MG",
        "t-shirt",
        "Fiat 500",
        "deadbeef",
        "training shoe",
    ),
    *("test tube", "dev kit", "photocopy", "class", "jalapeño", "O'Neill", "black & white", "H&M", "4x4 truck"),
]


def test_ordinary_names_are_no_finding(tokenizer: Tokenizer) -> None:
    assert kinds(GOOD, tokenizer) == {}
    assert kinds(GOOD) == {}


def test_the_same_to_the_model(tokenizer: Tokenizer) -> None:
    names = ["Golden Retriever", "golden retriever ", "golden_retriever", "poodle"]
    assert kinds(names, tokenizer) == {"same_tokens": tuple(names[:3])}
    assert kinds(names) == {"alike": tuple(names[:3])}


def test_blanks_in_a_row() -> None:
    assert kinds(["red  apple", "green apple"]) == {"blanks": ("red  apple",)}


def test_advice_fits_folders_and_tables() -> None:
    (finding,) = name_findings(["1", "2"])
    assert "folders" in finding.todo
    assert "table" in finding.todo


def test_unicode_forms_and_hyphens(tokenizer: Tokenizer) -> None:
    composed, apart = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    assert set(kinds([composed, apart, "tea"], tokenizer)) <= {"same_tokens", "alike"}
    assert kinds([composed, apart, "tea"]) == {"alike": (composed, apart)}
    assert kinds(["t-shirt", "T shirt", "coat"], tokenizer) == {"alike": ("t-shirt", "T shirt")}
    assert plain("Ｃat__A") == plain("cat a")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("number", ["0", "1", "12", "3.5", "001"]),
        ("id", ["n02113799", "class 3", "label_4", "IMG_2231", "0a1b2c3d4e", "123e4567-e89b-12d3-a456-426614174000"]),
        ("no_letters", ["-", "...", "🚲"]),
        ("split_name", ["Test", "valid", "images", "test set"]),
        ("spelled", ["гарячая куля", "飞机", "猫", "日本語", "고양이", "σκύλος", "कुत्ता", "qxzv"]),
    ],
)
def test_names_that_say_nothing(tokenizer: Tokenizer, kind: str, names: list[str]) -> None:
    for name in names:
        assert kinds([name, "dog"], tokenizer) == {kind: (name,)}
        assert kinds([name, "dog"], tokenizer, official=True) == {}


def test_the_vehicle_is_no_split(tokenizer: Tokenizer) -> None:
    assert kinds(["train", "bus", "tram"], tokenizer) == {}
    assert kinds(["train", "test", "tram"], tokenizer) == {"split_name": ("train", "test")}
    assert kinds(["train"], tokenizer) == {"split_name": ("train",)}


def test_copies_of_classes(tokenizer: Tokenizer) -> None:
    names = ["cat", "cat - Copy", "cat (2)", "dog copy"]
    assert kinds(names, tokenizer) == {"copy_name": ("cat - Copy", "cat (2)")}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("prefix", ["001.Black footed Albatross", "002.Laysan Albatross", "crow"]),
        ("prefix", ["n02085620-Chihuahua", "n02085782-Japanese spaniel"]),
        ("prefix", ["01 cat", "02 dog"]),
        ("joined", ["AnnualCrop", "HerbaceousVegetation", "River"]),
    ],
)
def test_what_most_names_have_in_common(tokenizer: Tokenizer, kind: str, names: list[str]) -> None:
    matching = tuple(name for name in names if name not in ("crow", "River"))
    assert kinds(names, tokenizer) == {kind: matching}
    assert kinds([*matching, *(f"{word} bird" for word in ("red", "blue", "old", "big", "odd"))], tokenizer) == {}


def test_years_and_series_are_part_of_names(tokenizer: Tokenizer) -> None:
    assert kinds(["2012 Audi A4", "2011 BMW M3", "3 series", "5 series"], tokenizer) == {}


def test_names_too_long(tokenizer: Tokenizer) -> None:
    long = "very " * 80 + "long"
    found = name_findings([long, "dog"], tokenizer)
    assert [(one.kind, one.severity) for one in found] == [("too_long", "error")]
    assert kinds(["very " * 60 + "long", "dog"], tokenizer) == {}


def test_published_names_may_be_shared(tokenizer: Tokenizer) -> None:
    assert kinds(["missile", "missile", "0"], tokenizer, official=True) == {"same_tokens": ("missile",)}


def test_sentences_agree_in_number() -> None:
    one = name_findings(["7", "dog"])[0].what
    several = name_findings(["7", "8", "dog"])[0].what
    assert one == "1 class name is a number ('7')."
    assert several == "2 class names are numbers ('7', '8')."
