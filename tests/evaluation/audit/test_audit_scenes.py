"""The variants of images: the object's pixels stay, the background is the donor's, and the same call gives the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.data.items import Item
from dapt.data.load.images import image_tensor
from dapt.evaluation.audit.composites import fitted, grown
from dapt.evaluation.audit.cutouts import all_background, cut_out, working_size
from dapt.evaluation.audit.donors import NONE, Donors, choose_donors, with_strangers
from dapt.evaluation.audit.scenes import Scenes
from dapt.evaluation.audit.variants import LENT, MIXED, NAMES
from helpers import COLOURS, draw

SIZES = [(48, 40), (60, 44), (41, 70), (48, 40)]


def scenes_in(folder: Path, *, shorter: int = 40, donors: Donors | None = None, **how: object) -> Scenes:
    """Two images of each of two classes, of several sizes."""
    items, cutouts = [], []
    for number, size in enumerate(SIZES):
        picture, mask = draw(list(COLOURS)[number // 2], number, size)
        path = folder / f"{number}.png"
        picture.save(path)
        items.append(Item(path, number // 2, path.name))
        found = cut_out(torch.from_numpy(np.asarray(mask) > 0), working_size(size[::-1], shorter))
        assert found is not None
        cutouts.append(found)
    chosen = donors or choose_donors([item.name for item in items], [0, 0, 1, 1], [True] * 4, 1)
    return Scenes(items, cutouts, chosen, **how)  # type: ignore[arg-type]


def test_all_variants(tmp_path: Path) -> None:
    scenes = scenes_in(tmp_path, shorter=100)
    for place in range(4):
        made = scenes.variants(place, NAMES)
        assert set(made) == {*NAMES} - {"mixed_other"}, "there is no other data"
        photo = image_tensor(tmp_path / f"{place}.png")
        assert torch.equal(made["original"], photo)
        inside = scenes.cutouts[place].inside
        deep, far = ~grown(~inside, 1), ~grown(inside, 1)
        for name in ("only_fg", *MIXED):
            assert torch.equal(made[name][:, deep], photo[:, deep]), name
        for name in ("no_fg", "only_bg_i"):
            assert torch.equal(made[name][:, far], photo[:, far]), name
        assert bool((made["only_fg"][:, far] == 0).all())
        assert bool((made["no_fg"][:, deep] == 0).all())
        top, left, bottom, right = scenes.cutouts[place].box
        assert bool((made["only_bg_b"][:, top:bottom, left:right] == 0).all())
        for name in ("only_bg_t", "only_bg_i", "only_bg_b"):
            assert not torch.equal(made[name], photo)
        for name in MIXED:
            donor = int(scenes.donors.of[name][place])
            behind = fitted(scenes.variants(donor, ["only_bg_t"])["only_bg_t"], tuple(photo.shape[-2:]))
            assert torch.equal(made[name][:, far], behind[:, far]), name


def test_nothing_of_the_donors_object_is_lent(tmp_path: Path) -> None:
    """Objects have pure colours, backgrounds are grey noise: what is lent has no colour."""
    scenes = scenes_in(tmp_path)
    for place in range(4):
        far = ~grown(scenes.cutouts[place].inside, 1)
        for name in MIXED:
            seen = scenes.variants(place, [name])[name][:, far]
            donor = scenes.cutouts[int(scenes.donors.of[name][place])]
            assert donor.lends
            assert int(seen.min()) >= 50, name
            assert int(seen.max()) <= 150, name


def test_no_donor_no_mixture(tmp_path: Path) -> None:
    nobody = Donors({name: np.full(4, NONE) for name in MIXED}, (), ())
    made = scenes_in(tmp_path, donors=nobody).variants(0, NAMES)
    assert set(made) == {*NAMES} - {*LENT}


def test_the_same_again_in_threads_without_memory_and_in_any_order(tmp_path: Path) -> None:
    scenes, forgetful = scenes_in(tmp_path), scenes_in(tmp_path, cache_mb=0)
    first = [scenes.variants(place, NAMES) for place in range(4)]
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda place: forgetful.variants(place, NAMES), [3, 2, 1, 0] * 3))
    for place, made in zip([3, 2, 1, 0] * 3, again, strict=True):
        for name, picture in made.items():
            assert torch.equal(picture, first[place][name]), name


def test_photographs_are_shrunk_once(tmp_path: Path) -> None:
    made = scenes_in(tmp_path, shorter=20).variants(1, ["original", "mixed_rand"])
    assert {tuple(picture.shape) for picture in made.values()} == {(3, 20, 27)}


def test_the_colour_of_what_is_taken_away(tmp_path: Path) -> None:
    made = scenes_in(tmp_path, blank="#010203").variants(0, ["only_fg", "only_bg_b"])
    assert made["only_fg"][:, 0, 0].tolist() == [1, 2, 3]


def test_an_object_that_fills_its_picture_is_filled_in(tmp_path: Path) -> None:
    scenes = scenes_in(tmp_path)
    mask = torch.zeros(40, 48, dtype=torch.bool)
    mask[2:38, 2:46] = True
    close = cut_out(mask, (40, 48))
    assert close is not None
    scenes.cutouts = [close, *scenes.cutouts[1:]]
    made = scenes.variants(0, ["only_bg_t", "only_bg_i"])
    assert torch.equal(made["only_bg_t"], made["only_bg_i"])


def test_an_image_that_is_gone(tmp_path: Path) -> None:
    from dapt.errors import DataError

    scenes = scenes_in(tmp_path)
    (tmp_path / "2.png").unlink()
    with pytest.raises(DataError, match="There is no image"):
        scenes.variants(2, ["original"])


def test_pictures_can_be_saved(tmp_path: Path) -> None:
    picture = scenes_in(tmp_path).variants(0, ["mixed_next"])["mixed_next"]
    Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
    assert picture.dtype == torch.uint8


def test_a_photograph_without_an_object_is_lent_whole(tmp_path: Path) -> None:
    scenes = scenes_in(tmp_path, shorter=100)
    picture = Image.effect_noise((64, 48), 60).convert("RGB")
    picture.save(tmp_path / "land.png")
    cutout = all_background((48, 64))
    assert cutout.lends
    assert not bool(cutout.inside.any())
    donors = with_strangers(scenes.donors, [item.name for item in scenes.items], 1, 1)
    land = Item(tmp_path / "land.png", -1, "land.png")
    more = Scenes([*scenes.items, land], [*scenes.cutouts, cutout], donors)
    made = more.variants(0, ["original", "mixed_other"])
    inside = more.cutouts[0].inside
    behind = fitted(image_tensor(land.path), more.cutouts[0].size)
    deep, far = ~grown(~inside, 1), ~grown(inside, 1)
    assert torch.equal(made["mixed_other"][:, far], behind[:, far])
    assert torch.equal(made["mixed_other"][:, deep], made["original"][:, deep])
