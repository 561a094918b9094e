"""Rendered scenes: deterministic, exact masks, every class on every background."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dapt.data.resolve import load_data
from dapt.demo import scene_data
from dapt.demo.captions import SYNONYMS, caption, vocabulary
from dapt.demo.drawing import scenes
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.objects import class_names
from dapt.demo.drawing.scenes import Scene, render
from dapt.demo.scene_data import background_for, write_scenes
from dapt.errors import DataError

WORDS = {"grass", "sky", "water", "sand", "road", "wall", "rock", "snow"}


def test_classes_and_backgrounds() -> None:
    assert len(class_names()) >= 20
    assert set(BACKGROUNDS) >= WORDS
    assert {kind.home for kind in OBJECTS.values()} == set(BACKGROUNDS), "every background is home to some class"


@pytest.mark.parametrize("name", class_names())
def test_every_class_is_seen_on_every_background(name: str) -> None:
    for background in BACKGROUNDS:
        scene = render(name, background, (3, len(name)), 64)
        assert scene.image.shape == (64, 64, 3)
        assert scene.image.dtype == scene.mask.dtype == np.uint8
        assert set(np.unique(scene.mask)) == {0, 255}
        assert 0.02 < (scene.mask > 0).mean() < 0.7
        assert scene.image.std() > 8, "a picture, not a plain colour"
        assert (scene.name, scene.background) == (name, background)


@given(st.sampled_from(class_names()), st.sampled_from(sorted(BACKGROUNDS)), st.integers(0, 10**6))
@settings(max_examples=25)
def test_a_seed_decides_the_scene(name: str, background: str, seed: int) -> None:
    first, again, other = (render(name, background, value, 48) for value in (seed, seed, seed + 1))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.image, other.image)


def test_masks_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the object painted in one flat colour and no light, exactly the painted pixels are the mask."""
    paint = np.array([1.0, 0.0, 1.0])
    monkeypatch.setattr(scenes, "_shaded", lambda colours, cover, rng: paint * cover[..., None])
    monkeypatch.setattr(scenes, "_light", lambda picture, rng: picture)
    monkeypatch.setattr(scenes, "_distractors", lambda picture, rng: None)
    for index, name in enumerate(class_names()):
        scene = render(name, "grass", (5, index), 96)
        red, green, blue = (scene.image[..., channel].astype(int) for channel in range(3))
        painted = (red > 240) & (green < 15) & (blue > 240)
        inside = scene.mask > 0
        assert inside[painted].all(), name
        bare = (green - (red + blue) / 2 > -40) & ~painted  # nothing of the paint shines through
        assert not (inside & bare & (green > 100)).any(), name
        assert painted.sum() > 0.6 * inside.sum(), name  # the rest are the edges


def test_backgrounds_by_kind() -> None:
    rng = np.random.default_rng(0)
    for name in class_names():
        home = OBJECTS[name].home
        assert background_for(home, "own", rng) == home
        assert home not in {background_for(home, "exchanged", rng) for _ in range(60)}
    assert len({background_for("road", "random", rng) for _ in range(200)}) == len(BACKGROUNDS)
    with pytest.raises(ValueError, match="no kind"):
        background_for("road", "odd", rng)


@pytest.mark.long
def test_exchanged_backgrounds_are_as_varied_as_own_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What chose the background must not also decide how it looks (brick tone is the wall's first draw)."""
    seen = set()

    def record(name: str, background: str, seed: tuple[int, ...], size: int, **look: str | None) -> Scene:
        if background == "wall" and OBJECTS[name].home != "wall":
            seen.add(int(np.random.default_rng(seed).integers(3)))
        return Scene(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8), name, "red", background)

    monkeypatch.setattr(scene_data, "render", record)
    write_scenes(tmp_path, train_per_class=1, test_per_class=24, jobs=1)
    assert seen == {0, 1, 2}


def test_captions_use_the_vocabulary() -> None:
    known = set(vocabulary())
    rng = np.random.default_rng(1)
    said = []
    for index in range(150):
        scene = render("car" if index % 3 else None, "road", index, 16)
        said.append(caption(scene, rng))
    words = {word for text in said for word in text.lower().replace(".", " ").split()}
    assert words <= known
    assert any("car" in text and any(word in text for word in SYNONYMS["road"]) for text in said)
    assert any("car" in text and not any(word in text for word in SYNONYMS["road"]) for text in said)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes"), seed=2, train_per_class=2, test_per_class=4, size=40, jobs=1)


def test_data_set_is_an_ordinary_csv(index: Path) -> None:
    data = load_data(str(index))
    assert list(data.names) == class_names()
    train, test = data.labelled("train"), data.labelled("test")
    assert len(train) == 48
    assert len(test) == 96
    assert data.has_masks
    for item in (*train, *test):
        meta = dict(item.meta)
        own = OBJECTS[data.names[item.label]].home == meta["background"]
        assert own == (meta["group"] == "own")
        assert item.mask is not None
        assert Image.open(item.path).size == Image.open(item.mask).size == (40, 40)
    assert {item.group for item in train} == {"own"}
    assert sum(item.group == "exchanged" for item in test) == 48


def test_data_set_is_the_same_again_and_kept(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_data, "FEW", 100)  # so that two processes draw
    other = write_scenes(tmp_path / "again", seed=2, train_per_class=2, test_per_class=4, size=40, jobs=2)
    assert other.read_bytes() == index.read_bytes()
    rows = list(csv.DictReader(index.open()))
    for row in rows[::7]:
        for column in ("image", "mask"):
            assert (other.parent / row[column]).read_bytes() == (index.parent / row[column]).read_bytes()
    touched = other.parent / rows[0]["image"]
    before = touched.stat().st_mtime_ns
    write_scenes(other.parent, seed=2, train_per_class=2, test_per_class=4, size=40, jobs=1)
    assert touched.stat().st_mtime_ns == before, "scenes that are there are kept"


@pytest.mark.long
def test_a_scene_that_is_damaged_is_drawn_again(index: Path, tmp_path: Path) -> None:
    other = write_scenes(tmp_path, seed=2, train_per_class=2, test_per_class=4, size=40, jobs=1)
    first, second, third, fourth = (other.parent / row["image"] for row in list(csv.DictReader(other.open()))[:4])
    first.write_bytes(first.read_bytes()[:100])
    second.unlink()
    kept = fourth.read_bytes() + b"more"  # of which a reader sees nothing
    fourth.write_bytes(kept)
    write_scenes(tmp_path, seed=2, train_per_class=2, test_per_class=4, size=40, jobs=1)
    for path in (first, second, third):
        assert path.read_bytes() == (index.parent / path.relative_to(tmp_path)).read_bytes()
    assert fourth.read_bytes() == kept


@pytest.mark.long
@pytest.mark.parametrize("with_index", [True, False])
def test_an_edited_scene_is_kept(tmp_path: Path, with_index: bool) -> None:
    """Neither it nor anything else is written over: figures would not be those of the demonstration."""
    index = write_scenes(tmp_path, seed=2, train_per_class=1, test_per_class=2, size=40, jobs=1)
    if not with_index:
        index.unlink()
    rows = sorted((tmp_path / "masks").rglob("*.png"))
    rows[0].write_bytes(b"damaged")
    Image.new("L", (40, 40), 255).save(rows[-1])
    before = rows[-1].read_bytes()
    with pytest.raises(DataError, match="is not as dapt wrote it"):
        write_scenes(tmp_path, seed=2, train_per_class=1, test_per_class=2, size=40, jobs=1)
    assert rows[-1].read_bytes() == before
    if with_index:
        assert rows[0].read_bytes() == b"damaged"


def test_an_edited_index_is_kept(tmp_path: Path) -> None:
    index = write_scenes(tmp_path, train_per_class=1, test_per_class=2, size=32, classes=2, jobs=1)
    whole = index.read_text()
    index.write_text(whole.replace("own", "mine"))
    with pytest.raises(DataError, match=r"index.csv is not as dapt wrote it"):
        write_scenes(tmp_path, train_per_class=1, test_per_class=2, size=32, classes=2, jobs=1)
    assert "mine" in index.read_text()
    index.unlink()
    write_scenes(tmp_path, train_per_class=1, test_per_class=2, size=32, classes=2, jobs=1)
    assert index.read_text() == whole
