"""What masks are made with travels to another process and makes the same masks there."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from dapt.cues.border import BorderOptions
from dapt.data.load.pixels import max_megapixels, use_option
from dapt.data.load.reading import current, use_bits, use_matte
from dapt.data.resolve import load_photos
from dapt.errors import ConfigError, DataError
from dapt.plugins import load_plugin, loaded_files
from dapt.runs.mask_order import MaskOrder, packed
from helpers import unload_plugins

OWN = """
import torch
from dapt.cues.base import CUES, Cue, CueReport

@CUES.register("whole_left")
class WholeLeft(Cue):
    def prepare(self, items, model):
        self.report = CueReport()
        return [self.report.add(item.name, torch.tensor([[True, False]])) for item in items]
"""


@pytest.fixture
def settings_back():
    yield
    use_option(None)
    use_matte(None)
    use_bits(None)


def test_a_parcel_makes_the_same_masks(photos: Path, settings_back) -> None:
    data = load_photos(str(photos))
    items = data.chosen("all")[:6]
    order = MaskOrder("border", BorderOptions(cells=8), data)
    cue = order.cue()
    here = cue.prepare(items, None)
    use_option(50.0)
    use_matte("black")
    content = pickle.dumps(packed(order, cue, device="cpu"))
    use_option(None)
    use_matte(None)
    there, model = pickle.loads(content).open()
    assert model is None
    assert max_megapixels() == 50.0
    assert current().matte == "black"
    for one, other in zip(here, there.prepare(items, None), strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.equal(one, other)


def test_a_million_images_stay_at_home(photos: Path) -> None:
    data = load_photos(str(photos))
    order = MaskOrder("border", BorderOptions(), data)
    parcel = packed(order, order.cue(), device="cpu")
    assert parcel.order.data.splits == {}
    assert parcel.order.data.names == data.names


def test_a_plugin_goes_with_it(photos: Path, tmp_path: Path, settings_back) -> None:
    file = tmp_path / "whole_left.py"
    file.write_text(OWN)
    load_plugin(file)
    assert file in loaded_files()
    data = load_photos(str(photos))
    items = data.chosen("all")[:2]
    order = MaskOrder("whole_left", BorderOptions(), data)
    parcel = packed(order, order.cue(), device="cpu")
    assert dict(parcel.plugins)[str(file)] == OWN.encode()
    assert parcel.order.data.splits, "a cue that is not ours may look at all images"
    unload_plugins()
    file.unlink()  # as on a node that does not have it
    cue, _ = parcel.open()
    assert [mask.tolist() for mask in cue.prepare(items, None)] == [[[True, False]]] * 2


def test_a_plugin_whose_file_is_gone_cannot_go_with_it(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "gone_again.py"
    file.write_text("")
    load_plugin(file)
    file.unlink()
    order = MaskOrder("border", BorderOptions(), load_photos(str(photos)))
    with pytest.raises(ConfigError, match=r"gone_again\.py.*cannot be sent"):
        packed(order, order.cue(), device="cpu")


def test_no_classes_for_a_cue_that_needs_them(photos: Path) -> None:
    with pytest.raises(DataError, match="no classes to explain"):
        MaskOrder("gradcam", BorderOptions(), load_photos(str(photos))).model()
