"""Spots: on the object only, of the colour asked for, the same for the same seed."""

from __future__ import annotations

import numpy as np

from dapt.demo.drawing.coat import PAINT, RADIUS, ROWS, spotted
from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.scenes import render

SIZE = 96


def square(colour: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A square of one colour in the middle, colours times coverage, and its coverage."""
    cover = np.zeros((SIZE, SIZE), dtype=np.float32)
    cover[16:80, 16:80] = 1.0
    return cover[..., None] * np.array(colour, dtype=np.float32), cover


def test_spots_cover_a_part_of_the_object_and_nothing_else() -> None:
    colours, cover = square((1.0, 0.0, 0.0))
    found = spotted(colours, cover, (0.0, 0.0, 1.0), (0.5, 0.5), 0.4, np.random.default_rng(3))
    assert found.dtype == np.float32
    assert not found[cover == 0].any()
    inside = found[cover == 1]
    np.testing.assert_allclose(inside.sum(axis=1), 1.0, atol=1e-5)  # red, blue or a mixture
    assert inside[:, 2].max() == np.float32(PAINT)
    discs = np.pi * RADIUS**2 / ROWS  # share of the plane that discs of that radius on such rows cover
    assert abs(inside[:, 2].mean() / PAINT - discs) < 0.08


def test_a_seed_decides_the_spots() -> None:
    colours, cover = square((0.5, 0.5, 0.5))
    one, again, other = (
        spotted(colours, cover, (1.0, 1.0, 1.0), (0.5, 0.5), 0.4, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_spots_are_seen_on_every_object() -> None:
    """Much of a yellow object is blue with blue spots, as often as chance has it on it without."""
    for name in ("car", "fish", "lamp", "tent"):
        blue = []
        for spots in (None, "blue"):
            scenes = [render(name, "snow", (4, number), SIZE, colour="yellow", spots=spots) for number in range(6)]
            inside = np.concatenate([scene.image[scene.mask > 0].astype(int) for scene in scenes])
            blue.append((inside[:, 2] - inside[:, 0] > 30).mean())
        assert blue[1] > blue[0] + 0.08, name


def test_a_colour_that_is_asked_for_is_that_of_the_scene() -> None:
    assert render("fish", "sky", 1, 32, colour="purple").colour == "purple"
    assert render("fish", "sky", 1, 32).colour in OBJECTS["fish"].colours
