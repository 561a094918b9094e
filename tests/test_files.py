"""Files appear whole or not at all; names are registered once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import ConfigError, DaptError, did_you_mean
from dapt.files import read_json, whole_file, write_json, write_with
from dapt.registry import Registry


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def half_way() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert read_json(path) == {"old": 1}
    assert [other.name for other in tmp_path.iterdir()] == ["a.json"]


def test_operating_system_errors_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"

    def full(temporary: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(DaptError, match=r"Could not write .*a\.bin: No space left on device"):
        write_with(path, full)
    (tmp_path / "file").write_text("")
    with pytest.raises(DaptError, match="Could not write"):
        write_json(tmp_path / "file" / "below.json", {})
    assert not path.exists()


@pytest.mark.parametrize("content", ["{", "[" * 200_000, "\xe9".encode("latin-1")])
def test_json_that_cannot_be_parsed(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DaptError, match=r"x\.json is not valid JSON"):
        read_json(path)


def test_hints() -> None:
    assert did_you_mean("mapel", ["maple", "coop"]) == "Did you mean 'maple'?"
    assert did_you_mean("zzz", ["maple", "coop"]) == "Available: coop, maple."
    assert did_you_mean("x", []) == ""


def test_registry() -> None:
    registry: Registry[int] = Registry("thing", "dapt.methods")
    registry.add("one", 1)
    with pytest.raises(ValueError, match="registered twice"):
        registry.add("one", 2)
    registry.add("one", 3, overwrite=True)
    assert registry.get("one") == 3
    with pytest.raises(ConfigError, match="no thing 'on'"):
        registry.get("on")


def test_a_new_method_is_one_file(tmp_path: Path) -> None:
    """A file dropped into dapt/methods registers itself; nothing else is touched."""
    import subprocess
    import sys

    program = (
        "import dapt.methods, sys\n"
        f"dapt.methods.__path__.append({str(tmp_path)!r})\n"
        "from dapt.cli.app import run\nsys.exit(run(['methods', 'list']))"
    )
    (tmp_path / "mine.py").write_text(
        "from dapt.methods.base import Method, MethodOptions, add_method\n"
        "add_method(Method('mine', 'my own', 'none', 'mine:Prompts', MethodOptions))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "mine" in {line.split()[0] for line in done.stdout.splitlines()}
