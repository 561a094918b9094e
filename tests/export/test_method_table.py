"""The table of docs/export.md is what the code says of every method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dapt
from dapt.clip.frozen import FrozenClip
from dapt.config import DaptOptions
from dapt.export.method_table import HEADER, method_table
from dapt.methods.base import METHODS
from dapt.model.build import assemble
from dapt.model.prompted_clip import PromptedClip
from dapt.validation import validated
from helpers import REPOSITORY, tiny_clip
from model.test_model_plain import NAMES, SHALLOW, options_of


def create(clip: FrozenClip, method: str, options: dict[str, Any]) -> PromptedClip:
    """A model of the method as it is before training, which changes nothing here."""
    recipe = METHODS.get(method)
    return assemble(clip, recipe, validated(recipe.options, {**recipe.preset, **options}), NAMES, DaptOptions(), seed=1)


def test_the_table_of_the_page(tmp_path: Path, tiny_spec: str) -> None:
    clip, teacher = tiny_clip(), options_of("promptkd", tmp_path, tiny_spec)
    models = {}
    for name in dapt.list_methods():
        family = name.partition(".")[0]
        shallow = {"depth": 1 if name == "vpt.shallow" else 2} if family in SHALLOW else {}
        models[name] = create(clip, name, {**shallow, **(teacher if family == "promptkd" else {})})
    table = method_table(models)
    page = (REPOSITORY / "docs" / "export.md").read_text("utf-8")
    assert table.startswith(f"| {' | '.join(HEADER)} |")
    assert table in page, f"put this table into docs/export.md:\n{table}"
