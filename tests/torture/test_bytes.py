"""Files with wrong bytes: what dapt reads is refused with exit code 2, or the result is what it would have been."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from comparing import differences, snapshot, without_clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scale import LONG, cases
from scenes import Command, Stage, evaluation, masks, protocol, scenes_alone, train
from stories import well
from warm import Ended, Warm

ANYWHERE = st.integers(0, 2**32)


@dataclass(frozen=True)
class Damage:
    """What happens to one file of a folder; numbers are taken modulo what there is."""

    file: int
    kind: str
    places: tuple[int, ...] = ()
    value: bytes = b""

    def do(self, folder: Path, names: list[str]) -> str:
        """Damage a file; says how."""
        path = folder / names[self.file % len(names)]
        content = bytearray(path.read_bytes())
        told = f"{path.name}: {self.kind}"
        if self.kind == "flip" and content:
            for place, value in zip(self.places, self.value, strict=False):
                content[place % len(content)] ^= value or 1
                told += f" {place % len(content)}"
        elif self.kind == "truncate":
            del content[self.places[0] % (len(content) + 1) :]
            told += f" to {len(content)}"
        elif self.kind == "append":
            content += self.value
        elif self.kind == "empty":
            content.clear()
        elif self.kind == "swap":
            other = folder / names[self.places[0] % len(names)]
            told += f" with {other.name}"
            path.write_bytes(other.read_bytes())
            other.write_bytes(bytes(content))
            return told
        path.write_bytes(bytes(content))
        return told


@st.composite
def damages(draw: Any) -> Damage:
    """Mostly a few changed bytes."""
    kind = draw(st.sampled_from(["flip", "flip", "flip", "flip", "truncate", "append", "empty", "swap"]))
    places = tuple(draw(st.lists(ANYWHERE, min_size=1, max_size=8)))
    return Damage(draw(st.integers(0, 1000)), kind, places, draw(st.binary(min_size=8, max_size=8)))


Judge = Callable[[Stage, Ended], list[str]]


@dataclass(frozen=True)
class Victim:
    """A folder that is damaged, and what is called then.

    Attributes:
        name: under which it is kept. files: which of its files; empty: all. command: the call. judge: what is wrong
            with its end, if it ended well.
    """

    name: str
    files: tuple[str, ...]
    command: Command
    judge: Judge


class Expected:
    """What undamaged folders lead to."""

    def __init__(self, warm: Warm, stage: Stage) -> None:
        stage.clear()
        well(warm.run(*train(stage)))
        stage.keep("finished")
        self.run = snapshot(stage.out)
        found = warm.run(*evaluation(stage), "--json", stage.folder / "figures.json")
        well(found)
        self.figures = self._figures(stage)
        well(found := warm.run(*prediction(stage)))
        self.predicted = found.output
        stage.clear()
        cut = {"inside": [str(stage.out)], "kill_at": ("os.rename", "metrics.jsonl", 1)}
        assert warm.run(*train(stage), watch=cut).killed
        stage.keep("interrupted")
        for name, command in (("masks", masks), ("protocol", protocol), ("scenes", scenes_alone)):
            stage.clear()
            well(warm.run(*command(stage)))
            stage.keep(name)
        self.others = {name: snapshot(stage.kept / name) for name in ("masks", "protocol", "scenes")}

    @staticmethod
    def _figures(stage: Stage) -> Any:
        path = stage.folder / "figures.json"
        tree = without_clock(json.loads(path.read_text()))
        path.unlink()
        return tree

    def same_run(self, stage: Stage, done: Ended) -> list[str]:
        """The folder is as that of a run which nothing happened to."""
        return differences(self.run, snapshot(stage.out))

    def same_results(self, stage: Stage, done: Ended) -> list[str]:
        """The run was taken for finished, and all that it found is unchanged; its notes and evaluations may not be."""
        found = snapshot(stage.out)
        sealed = json.loads(self.run[".dapt.json"])["files"]
        return [f"{name} is another one" for name in sealed if sealed[name] and found.get(name) != self.run[name]]

    def same_figures(self, stage: Stage, done: Ended) -> list[str]:
        """The evaluation found the same."""
        figures = self._figures(stage)
        return [] if figures == self.figures else [f"other figures: {figures}"]

    def same_predictions(self, stage: Stage, done: Ended) -> list[str]:
        """The predictions are the same."""
        return [] if done.output == self.predicted else [f"other predictions: {done.output}"]

    def same_folder(self, name: str) -> Judge:
        """The folder is as it was made."""
        return lambda stage, done: differences(self.others[name], snapshot(stage.out))

    def same_scenes(self, stage: Stage, done: Ended) -> list[str]:
        """The scenes show the same, whatever else is in their files."""
        found = {name: shown(name, content) for name, content in snapshot(stage.out).items()}
        return differences({name: shown(name, content) for name, content in self.others["scenes"].items()}, found)

    def victims(self) -> list[Victim]:
        """All of them; a name that stands here often is tried often."""
        notes = (".dapt.json", ".lock", ".owner.json")
        run = [
            Victim("finished", (), lambda stage: figures_of(stage), self.same_figures),
            Victim("finished", (), prediction, self.same_predictions),
            Victim("finished", (), lambda stage: train(stage, "--resume"), self.same_results),
            Victim("finished", (), lambda stage: train(stage, "--overwrite"), self.same_run),
            Victim("interrupted", (), lambda stage: train(stage, "--resume"), self.same_run),
            Victim("interrupted", (), lambda stage: train(stage, "--resume"), self.same_run),
        ]
        others = [
            Victim("masks", ("masks.json", *notes), masks, self.same_folder("masks")),
            Victim(
                "protocol",
                ("protocol.json", *notes),
                lambda stage: protocol(stage, "--resume"),
                self.same_folder("protocol"),
            ),
            Victim("scenes", ("demo.yaml", *notes), lambda stage: scenes_alone(stage, "--resume"), self.same_scenes),
            Victim("scenes", (), lambda stage: scenes_alone(stage, "--resume"), self.same_scenes),
        ]
        return [*run, *run, *others]


def shown(name: str, content: bytes) -> bytes:
    """The pixels of a picture; other files as they are."""
    if not name.endswith(".png"):
        return content
    with Image.open(io.BytesIO(content)) as picture:
        return repr((picture.mode, picture.size)).encode() + picture.tobytes()


def figures_of(stage: Stage) -> list[object]:
    """`dapt eval` into a file of its own."""
    return [*evaluation(stage), "--json", stage.folder / "figures.json"]


def prediction(stage: Stage) -> list[object]:
    """`dapt predict` of two images."""
    images = [stage.table.parent / "images" / f"{name}_3.png" for name in ("red_square", "blue_disc")]
    return ["predict", stage.out, *images, "--format", "json", "--device", "cpu"]


@pytest.fixture(scope="module")
def expected(warm: Warm, stage: Stage):
    """One of each folder, made once."""
    yield Expected(warm, stage)
    shutil.rmtree(stage.kept)


def test_wrong_bytes(warm: Warm, stage: Stage, expected: Expected, tell) -> None:
    """Exit 0 with equal results or exit 2: no traceback, no other code, no hang, no other figure."""
    victims = expected.victims()
    count = cases(60, 5000)
    ends = {0: 0, 2: 0}

    @settings(
        max_examples=count,
        derandomize=not LONG,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, len(victims) - 1), damages())
    def case(number: int, damage: Damage) -> None:
        victim = victims[number]
        stage.bring(victim.name)
        names = [name for name in snapshot(stage.out) if not name.endswith("/")]
        how = damage.do(stage.out, [name for name in names if name in victim.files or not victim.files])
        done = warm.run(*victim.command(stage))
        command = " ".join(map(str, victim.command(stage)))
        story = f"{victim.name}: {how}; dapt {command}\n{done.output}"
        assert not done.hung, f"hangs: {story}"
        assert done.code in (0, 2), f"ends with {done.code}: {story}"
        assert "Traceback" not in done.output, story
        if done.code == 0:
            wrong = victim.judge(stage, done)
            assert not wrong, f"{wrong}\n{story}"
        else:
            assert "error: " in done.output, story
        ends[done.code] += 1

    case()
    tell("wrong bytes", sum(ends.values()), f"{ends[0]} with equal results, {ends[2]} refused")


def test_the_damage_is_done(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    (tmp_path / "b").write_bytes(b"b")
    names = ["a", "b"]
    Damage(0, "flip", (3,), b"\1").do(tmp_path, names)
    assert (tmp_path / "a").read_bytes() == b"0122456789"
    Damage(2, "truncate", (4,)).do(tmp_path, names)
    assert (tmp_path / "a").read_bytes() == b"0122"
    Damage(0, "swap", (1,)).do(tmp_path, names)
    assert (tmp_path / "a").read_bytes() == b"b"
    Damage(1, "append", (1,), b"xy").do(tmp_path, names)
    assert (tmp_path / "b").read_bytes() == b"0122xy"
    Damage(1, "empty").do(tmp_path, names)
    assert (tmp_path / "b").read_bytes() == b""
