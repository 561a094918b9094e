"""What is said of cells that are not done."""

from __future__ import annotations

from dapt.errors import ConfigError, DataError
from dapt.experiments.grid.unfinished import OVERWRITE, SHOWN, Wrong, unfinished


def test_nothing_is_wrong() -> None:
    assert unfinished(Wrong({}, {}, {}), 3, "are done", "x") is None


def test_each_reason_is_told_once_with_its_cells() -> None:
    wrong = Wrong(
        failed={"a": DataError("no photo", todo="Copy it."), "b": DataError("no photo", todo="Copy it.")},
        contradictory={"c": ConfigError("zero")},
        others={"d": ConfigError("older", todo=OVERWRITE)},
    )
    error = unfinished(wrong, 5, "are done", "x")
    assert error is not None
    assert error.what == "Of 5 cells 2 failed, 1 cannot be run and 1 holds another run; the other one is done."
    assert error.more == ("c: zero", "d: older", "2 cells (a, b): no photo Copy it.")
    assert "--overwrite makes those again" in error.todo


def test_options_are_told_as_keys_of_the_file() -> None:
    failed = {
        "a": ConfigError("5 words do not fit.", todo="Use --n-ctx 4, or another --out."),
        "b": ConfigError("Damaged.", todo="Use --skip-bad or --plugin, not --n-ctx, --nonsense."),
    }
    error = unfinished(Wrong(failed, {}, {}), 2, "are done", "x")
    assert error is not None
    assert error.more[-1] == (
        "Options are keys of the file here: --n-ctx is prompt.n_ctx, --skip-bad is skip_bad and --plugin is plugins."
    )


def test_more_reasons_than_are_shown() -> None:
    error = unfinished(Wrong({str(each): DataError(f"no {each}") for each in range(30)}, {}, {}), 30, "", "x/e.json")
    assert error is not None
    assert len(error.more) == SHOWN + 1
    assert error.more[-1] == "and 10 more, see x/e.json"
