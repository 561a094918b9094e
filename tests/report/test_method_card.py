"""Pages and tables that are made from the registry."""

from __future__ import annotations

import sys

import pytest

from dapt.clip.random_model import random_clip
from dapt.errors import ConfigError
from dapt.methods.base import METHODS
from dapt.report.method_card import families, settings_table
from helpers import REPOSITORY


def test_the_pages_show_what_the_registry_holds() -> None:
    sys.path.insert(0, str(REPOSITORY / "tools"))
    try:
        from method_table import pages, with_table
    finally:
        sys.path.pop(0)
    for path, table in pages().items():
        text = path.read_text(encoding="utf-8")
        assert with_table(text, table) == text, f"{path.name} is out of date: run python tools/method_table.py"


def test_every_method_is_in_a_table_with_its_sources() -> None:
    assert sorted(name for family in families() for name in family) == METHODS.names()
    table = settings_table()
    for name in METHODS.names():
        method = METHODS.get(name)
        assert method.paper
        assert method.formula
        if method.trains:
            assert f"`{name}`" in table
            assert method.training.source


def test_info(dapt) -> None:
    code, out, _ = dapt("methods", "info", "promptsrc.cross", "--model", "ViT-B-32", "--num-classes", "7")
    assert code == 0
    for part in (
        "paper: Khattak",
        "formula: ",
        "15,360 (ViT-B-32, 7 classes)",
        "L_v, L_f, L_b",
        "gpa_mean = 6.0",
        "cross-dataset",
    ):
        assert part in out
    code, out, _ = dapt("methods", "info", "cocoop")
    assert "35,360" in out
    assert "L_v is left out" in out


def test_unknown_names_are_answered_with_the_closest(dapt) -> None:
    code, _, err = dapt("methods", "info", "promtsrc")
    assert code == 2
    assert "promptsrc" in err
    with pytest.raises(ConfigError, match="ViT-B-16"):
        random_clip("ViT-B-61")
