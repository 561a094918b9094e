"""Making masks: chunk by chunk, noted before they are written, at the sizes asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.cues.base import Cue, CueContext, CueReport
from dapt.cues.gradcam import GradCamOptions
from dapt.data.items import Item
from dapt.data.load.images import image_tensor
from dapt.data.resolve import load_data
from dapt.errors import ConfigError
from dapt.runs import making_masks
from dapt.runs.making_masks import chunk_of, make_masks, size_of
from dapt.runs.mask_folder import MaskFolder
from dapt.strict import PartOptions

SIZE = (40, 48)


class Halves(Cue):
    """The left half of every image; nothing in every third; some score and background."""

    soft = False
    calls: list[list[str]]

    def __init__(self, options: PartOptions | None = None) -> None:
        super().__init__(CueContext(options or PartOptions(), None, "binary", False, lambda item: torch.zeros(1), 1))
        self.calls = []

    def prepare(self, items, model):
        self.calls.append([item.name for item in items])
        self.report = CueReport()
        masks = []
        for item in items:
            third = int(item.path.stem) % 3 == 2
            mask = None if third else torch.tensor([[True, False]])
            self.report.scores[item.name] = 0.75
            self.report.stuff[item.name] = ["wall"]
            masks.append(self.report.add(item.name, mask))
        return masks


@pytest.fixture
def items(photos: Path) -> list[Item]:
    return load_data(str(photos)).chosen("all")


def made(folder: MaskFolder, cue: Cue, *, whole: bool = True) -> list[Item]:
    with folder.writing() as left:
        make_masks(folder, cue, left, None, whole=whole)
        folder.finish({})
    return left


def test_masks_have_the_size_of_their_photos_and_entries(items, tmp_path: Path) -> None:
    folder = MaskFolder(tmp_path / "m", {}, items)
    made(folder, Halves())
    tree = json.loads((tmp_path / "m" / "masks.json").read_text())
    for item in items:
        mask = np.array(Image.open(folder.target(item)))
        entry = tree["masks"][item.name]
        assert mask.shape == SIZE
        assert (entry["score"], entry["stuff"]) == (0.75, ["wall"])
        if int(item.path.stem) % 3 == 2:
            assert (entry["kind"], entry["coverage"]) == ("not found", 0)
            assert not mask.any()
        else:
            assert (entry["kind"], entry["coverage"]) == ("usable", 0.5)
            assert (mask[:, :24] == 255).all()
            assert not mask[:, 24:].any()
    assert not (tmp_path / "m" / ".parts").exists()


def test_masks_as_the_cue_makes_them(items, tmp_path: Path) -> None:
    folder = MaskFolder(tmp_path / "m", {}, items)
    made(folder, Halves(), whole=False)
    without = [item for item in items if int(item.path.stem) % 3 == 2]
    assert without
    assert not any(folder.target(item).exists() for item in without)
    others = [item for item in items if item not in without]
    assert all(np.array(Image.open(folder.target(item))).tolist() == [[255, 0]] for item in others)
    again = Halves()
    assert made(MaskFolder(tmp_path / "m", {}, items), again, whole=False) == []
    assert again.calls == [], "that there is no mask is known, too"


def test_what_was_made_before_an_end_is_not_made_again(items, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(making_masks, "CHUNK", 4)
    cue = Halves()
    prepare = cue.prepare

    def breaks(part, model):
        if len(cue.calls) == 3:
            raise KeyboardInterrupt
        return prepare(part, model)

    cue.prepare = breaks
    with pytest.raises(KeyboardInterrupt):
        made(MaskFolder(tmp_path / "m", {}, items), cue)
    before = {name for call in cue.calls for name in call}
    assert len(before) == 12
    second = Halves()
    left = made(MaskFolder(tmp_path / "m", {}, items), second)
    again = before & {item.name for item in left}
    assert again <= set(cue.calls[-1]), "the last chunk at most"
    assert len(left) + 12 - len(again) == len(items)
    tree = json.loads((tmp_path / "m" / "masks.json").read_text())
    assert len(tree["masks"]) == len(items)
    assert all(entry["score"] == 0.75 for entry in tree["masks"].values()), "also of those of the first process"


def test_chunks_are_whole_batches() -> None:
    assert chunk_of(Halves()) == 50
    assert chunk_of(Halves(GradCamOptions())) == 50
    assert chunk_of(Halves(GradCamOptions(batch_size=32))) == 64
    assert chunk_of(Halves(GradCamOptions(batch_size=300))) == 300


def test_a_cue_that_makes_too_few(items, tmp_path: Path) -> None:
    cue = Halves()
    cue.name, cue.prepare = "lazy", lambda items, model: []
    with pytest.raises(ConfigError, match="The cue lazy made 0 masks for"):
        made(MaskFolder(tmp_path / "m", {}, items), cue)


def test_soft_masks_stay_grey(items, tmp_path: Path) -> None:
    cue = Halves()
    cue.soft = True
    cue.prepare = lambda part, model: [torch.tensor([[0.2, 0.6]])] * len(part)
    folder = MaskFolder(tmp_path / "m", {}, items)
    made(folder, cue)
    mask = np.array(Image.open(folder.target(items[0])))
    assert (mask[0, 0], mask[0, -1]) == (51, 153)
    assert set(range(60, 140)) & set(mask[0].tolist()), "interpolated"


def test_sizes_are_read_from_headers_unless_the_photo_is_read_reduced(items, tmp_path: Path, monkeypatch) -> None:
    big = tmp_path / "big.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32)).save(big, exif=exif)
    item = replace(items[0], path=big)
    assert size_of(item) == (64, 32) == tuple(image_tensor(big).shape[-2:])
    monkeypatch.setattr(making_masks, "max_megapixels", lambda: 1e-6)
    monkeypatch.setattr(making_masks, "image_tensor", lambda path: torch.zeros(3, 5, 4))
    assert size_of(item) == (5, 4)
