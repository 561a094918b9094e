"""The table on the terminal: whole on narrow terminals and on those that know ASCII only."""

from __future__ import annotations

import io
import sys

import pytest

from dapt.demo.figures import KINDS, MEASURES
from dapt.demo.setting import DemoSettings
from dapt.demo.table import print_table


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
@pytest.mark.parametrize("columns", [50, 80, 120])
def test_every_figure_is_readable(encoding: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    results: dict[str, object] = {"settings": DemoSettings().model_dump()}
    for place, kind in enumerate(KINDS):
        values = {name: 60.0 + 10 * place + number for number, name in enumerate(MEASURES)}
        seeds = {name: [value] * (1 if kind == "zero_shot" else 3) for name, value in values.items()}
        results[kind] = {**values, "std": dict.fromkeys(values, 1.25), "seeds": seeds}
    shown = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(results)
    shown.flush()
    text = shown.buffer.getvalue().decode(encoding)
    assert "…" not in text
    if columns >= 80:
        assert "3 seeds" in text
        sign = "+-" if encoding == "ascii" else "±"
        for line, (number, head) in zip(
            (line for line in text.splitlines() if any(head in line for head in MEASURES.values())),
            enumerate(MEASURES.values()),
            strict=True,
        ):
            assert line.split(head)[1].split() == [
                f"{60.0 + number}", f"{70.0 + number}", f"{sign}1.2", f"{80.0 + number}", f"{sign}1.2"
            ]  # fmt: skip
    else:
        assert all(f"{80.0 + number}" in text for number in range(len(MEASURES)))
