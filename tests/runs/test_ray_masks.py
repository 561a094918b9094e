"""Chunks that go to a cluster and come back: kept once, in whatever order, and told as here. No cluster is needed."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dapt.clusters import Cluster
from dapt.cues.border import BorderOptions
from dapt.cues.gradcam import GradCamOptions
from dapt.data.load.reading import use_matte
from dapt.data.resolve import load_photos
from dapt.errors import ConfigError, DaptError, DataError
from dapt.runs import ray_masks
from dapt.runs.making_masks import make_masks
from dapt.runs.mask_folder import MaskFolder
from dapt.runs.mask_order import MaskOrder, packed
from dapt.runs.ray_masks import Answer, ChunkMaker, _gpus, _once, make_masks_on
from dapt.runs.write_masks import write_masks

CPUS = Cluster("here:1", 2, 4, 0)
GPUS = Cluster("here:1", 2, 16, 3)


@pytest.fixture
def data(photos: Path):
    yield load_photos(str(photos))
    ray_masks.set_quiet(False)
    use_matte(None)


@pytest.fixture
def order(data) -> MaskOrder:
    return MaskOrder("border", BorderOptions(), data)


def maker(order: MaskOrder) -> ChunkMaker:
    pytest.importorskip("ray")
    return ChunkMaker(packed(order, order.cue(), device="cpu"))


def test_the_folder_is_the_one_made_here(order, data, tmp_path: Path, monkeypatch) -> None:
    items = data.chosen("all")
    made = maker(order)

    def answers(parcel, chunks, most, gpus) -> Iterator[Answer]:
        found = [
            pickle.loads(made({"items": np.array([pickle.dumps(chunk)], object)})["answer"][0]) for chunk in chunks
        ]
        return iter([*reversed(found), found[0]])  # in another order, and one of them twice

    monkeypatch.setattr(ray_masks, "_answers", answers)
    monkeypatch.setattr("dapt.runs.making_masks.CHUNK", 5)
    for name in ("here", "there"):
        folder = MaskFolder(tmp_path / name, {"cue": "border"}, items)
        with folder.writing() as left:
            cue = order.cue()
            if name == "here":
                make_masks(folder, cue, left, None, whole=True)
            else:
                make_masks_on(CPUS, order, cue, folder, left, None)
            folder.finish({})
    files = {path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*")}
    assert files == {path.relative_to(tmp_path / "there") for path in (tmp_path / "there").rglob("*")}
    assert len(files) > len(items)
    for file in files:
        if (tmp_path / "here" / file).is_file() and not file.name.startswith("."):
            assert (tmp_path / "here" / file).read_bytes() == (tmp_path / "there" / file).read_bytes(), file


def test_an_image_that_cannot_be_read_is_told_as_here(order, data, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    broken = data.chosen("all")[:3]
    broken[1] = replace(broken[1], path=tmp_path / "broken.png")
    answer = maker(order).answer(broken)
    assert answer.chunk is None
    with pytest.raises(DataError) as there:
        list(_once(iter([answer]), broken))
    with pytest.raises(DataError) as here:
        order.cue().prepare(broken, None)
    assert there.value.message == here.value.message
    assert str(broken[1].path) in there.value.message


def test_a_node_that_does_not_see_the_photographs(order, data, tmp_path: Path) -> None:
    items = [replace(item, path=tmp_path / "elsewhere" / item.name) for item in data.chosen("all")[:2]]
    answer = maker(order).answer(items)
    with pytest.raises(DataError, match=r"does not see the photographs.*elsewhere"):
        list(_once(iter([answer]), items))


def test_what_is_said_there_is_said_here_once(order, data, capsys) -> None:
    items = data.chosen("all")[:4]
    made = maker(replace(order, options=BorderOptions(threshold=0.4)))
    answers = [made.answer(items[:2]), made.answer(items[2:])]
    ray_masks.set_quiet(False)
    assert any("threshold" in line for line in answers[0].lines)
    again = replace(answers[1], lines=answers[0].lines)
    capsys.readouterr()
    assert sum(len(chunk.entries) for chunk in _once(iter([answers[0], again]), items)) == 4
    assert capsys.readouterr().err.count("cue.threshold is read with") == 1


def test_images_that_do_not_come_back_are_told(order, data) -> None:
    items = data.chosen("all")[:4]
    answer = maker(order).answer(items[:3])
    with pytest.raises(DaptError, match="1 image did not come back"):
        list(_once(iter([answer]), items))


def test_gpus_are_for_cues_that_compute_on_them(data) -> None:
    border = MaskOrder("border", BorderOptions(), data)
    gradcam = MaskOrder("gradcam", GradCamOptions(), data)
    assert _gpus(GPUS, border, border.cue()) == 0
    assert _gpus(GPUS, gradcam, gradcam.cue()) == 1
    assert _gpus(CPUS, gradcam, gradcam.cue()) == 0
    assert _gpus(GPUS, replace(gradcam, device="cpu"), gradcam.cue()) == 0
    with pytest.raises(ConfigError, match="has no GPU"):
        _gpus(CPUS, replace(gradcam, device="cuda"), gradcam.cue())


def test_workers_without_a_cluster(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--ray"):
        write_masks(str(photos), tmp_path / "m", source="border", ray_workers=2)
