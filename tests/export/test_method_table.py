"""The table of docs/export.md is what the code says of every method."""

from __future__ import annotations

from pathlib import Path

import dapt
from dapt.export.method_table import HEADER, method_table
from helpers import REPOSITORY, tiny_clip
from model.test_model_plain import made, options_of


def test_the_table_of_the_page(tmp_path: Path, tiny_spec: str) -> None:
    models = {}
    for name in dapt.list_methods():
        family = name.partition(".")[0]
        if family not in {"linear_probe"}:
            models[name] = made(name, tiny_clip(), **options_of(name, tmp_path, tiny_spec))
        else:  # fitting takes seconds, and changes nothing here
            models[name] = dapt.create_model(tiny_clip(), name, ["a", "b"])
    table = method_table(models)
    page = (REPOSITORY / "docs" / "export.md").read_text("utf-8")
    assert table.startswith(f"| {' | '.join(HEADER)} |")
    assert table in page, f"put this table into docs/export.md:\n{table}"
