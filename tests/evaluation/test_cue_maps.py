"""Maps by cues: which there are, and how they come into the frame that the model sees."""

from __future__ import annotations

import pytest
import torch

from dapt.clip.frozen import Preprocess
from dapt.data.load.transforms import eval_transform
from dapt.errors import ConfigError
from dapt.evaluation.cue_maps import check_maps, into_frame, make_cue_map, map_names, title_of


def test_maps_come_from_cues_that_need_the_model_and_no_other() -> None:
    found = map_names()
    assert "gradcam" in found
    assert not {"masks", "dataset", "random", "none"} & set(found)
    assert check_maps(["gradcam", "gradcam"]) == ["gradcam"]
    with pytest.raises(ConfigError, match="There is no map 'gradcan'") as caught:
        check_maps(["gradcan"])
    assert "gradcam" in caught.value.todo
    assert title_of("gradcam", "cat") == "Grad-CAM: cat"
    assert title_of("other", "cat") == "other", "it shows no class by itself"
    assert make_cue_map("gradcam", lambda item: torch.zeros(3, 4, 4)).soft, "the map as it is, not cut"


@pytest.mark.parametrize("size", [(40, 80), (80, 40), (1500, 3000)])
def test_a_mask_is_cropped_as_the_image_is(size: tuple[int, int]) -> None:
    """The middle of the image is foreground, at another resolution than the image's; the crop shows the middle."""
    transform = eval_transform((32, 32), Preprocess((0.5,) * 3, (0.5,) * 3))
    height, width = size
    mask = torch.zeros(10, 10)
    mask[:, 3:7] = 1  # of a wide image the crop shows columns 2.5 to 7.5
    found = into_frame(mask, size, transform, soft=False)[0]
    assert found.shape == (32, 32)
    image = torch.nn.functional.interpolate(mask[None, None], size=size, mode="nearest-exact")[0]
    direct = transform((image * 255).to(torch.uint8).expand(3, -1, -1), image)[1][0]
    assert (found != direct).float().mean() < 0.04, "but for rounding at the edges"
    assert found.mean() == pytest.approx(0.8 if width > height else 0.4, abs=0.05)


def test_soft_maps_keep_their_values() -> None:
    transform = eval_transform((8, 8), Preprocess((0.5,) * 3, (0.5,) * 3))
    found = into_frame(torch.tensor([[0.0, 1.0]]), (8, 8), transform, soft=True)
    assert 0 < float(found[0, 0, 3]) < float(found[0, 0, 4]) < 1
