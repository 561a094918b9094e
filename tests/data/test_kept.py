"""Texts kept by path, size and time; more in tests/data/check/test_kept_looks.py."""

from __future__ import annotations

from pathlib import Path

from dapt.data.kept import AT_A_TIME, KeptTexts, state_now


def test_more_than_are_asked_for_at_a_time(tmp_path: Path) -> None:
    paths = [Path(f"/d/{number}") for number in range(AT_A_TIME + 7)]
    kept = KeptTexts(tmp_path / "x", "digest", 1, "All is read")
    kept.keep((path, (1, 2), path.name) for path in paths)
    kept.close()
    again = KeptTexts(tmp_path / "x", "digest", 1, "All is read")
    assert again.texts(paths, [(1, 2)] * len(paths)) == dict(enumerate(path.name for path in paths))
    assert KeptTexts(tmp_path / "x", "digest", 2, "All is read").texts(paths, [(1, 2)] * len(paths)) == {}


def test_state(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    assert state_now(tmp_path / "none") is None
    assert state_now(tmp_path / "a") == (3, (tmp_path / "a").stat().st_mtime_ns)
