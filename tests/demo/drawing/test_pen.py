"""The pen: shapes lie where their frame is placed, with soft edges and the colour asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dapt.demo.drawing.pen import Pen, arc, dark, light, mix, smooth

SQUARE = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
RED = (1.0, 0.0, 0.0)


def covered(pen: Pen) -> np.ndarray:
    return pen.layer()[1]


def centre(cover: np.ndarray) -> tuple[float, float]:
    """Middle of what is covered, as shares of the picture."""
    rows, columns = np.mgrid[: cover.shape[0], : cover.shape[1]]
    total = cover.sum()
    return float((columns * cover).sum() / total + 0.5) / cover.shape[1], float(
        (rows * cover).sum() / total + 0.5
    ) / len(cover)


def test_a_square_in_its_place() -> None:
    pen = Pen(40, (0.25, 0.5), 0.1)
    pen.polygon(SQUARE, RED)
    colours, cover = pen.layer()
    assert colours.shape == (40, 40, 3)
    assert cover.sum() == pytest.approx(8 * 8, rel=0.08)
    assert centre(cover) == pytest.approx((0.25, 0.5), abs=0.01)
    assert cover[20, 10] == 1
    assert cover[20, 30] == 0
    assert colours[20, 10].tolist() == [1, 0, 0]
    assert np.all(colours <= cover[..., None] + 1e-6)  # colours times coverage


@pytest.mark.parametrize(
    ("angle", "flip", "where"), [(0, False, (0.7, 0.5)), (90, False, (0.5, 0.7)), (0, True, (0.3, 0.5))]
)
def test_the_frame_is_turned_clockwise_and_mirrored(angle: float, flip: bool, where: tuple[float, float]) -> None:
    pen = Pen(60, (0.5, 0.5), 0.2, angle=angle, flip=flip)
    pen.ellipse(1, 0, 0.2, 0.2, RED)
    assert centre(covered(pen)) == pytest.approx(where, abs=0.01)


def test_stretching_keeps_the_area() -> None:
    plain, wide = Pen(80, (0.5, 0.5), 0.2), Pen(80, (0.5, 0.5), 0.2, stretch=2.0)
    for pen in (plain, wide):
        pen.polygon(SQUARE, RED)
    assert covered(wide).sum() == pytest.approx(covered(plain).sum(), rel=0.05)
    rows, columns = (np.flatnonzero(covered(wide).max(axis=axis) > 0.5) for axis in (1, 0))
    assert len(columns) / len(rows) == pytest.approx(2, rel=0.08)


def test_areas_of_ellipses_and_strokes() -> None:
    pen = Pen(100, (0.5, 0.5), 0.5)
    pen.ellipse(0, 0, 0.8, 0.4, RED, angle=30)
    assert covered(pen).sum() == pytest.approx(math.pi * 40 * 20, rel=0.03)
    pen = Pen(100, (0.5, 0.5), 0.5)
    pen.line([(-0.5, 0), (0.5, 0)], 0.2, RED)
    assert covered(pen).sum() == pytest.approx(50 * 10 + math.pi * 5**2, rel=0.05)  # with round ends


def test_later_shapes_cover_earlier_ones_and_nothing_is_transparent() -> None:
    pen = Pen(20, (0.5, 0.5), 0.4)
    assert covered(pen).max() == 0
    pen.polygon(SQUARE, RED)
    pen.ellipse(0, 0, 0.5, 0.5, (0.0, 2.0, -1.0))  # out of range: cut
    colours, cover = pen.layer()
    assert colours[10, 10].tolist() == [0, 1, 0]
    assert cover[10, 10] == 1


def test_tones() -> None:
    assert mix((0.0, 0.5, 1.0), (1.0, 0.5, 0.0), 0.25) == pytest.approx((0.25, 0.5, 0.75))
    assert light((0.0, 0.5, 1.0), 0.5) == pytest.approx((0.5, 0.75, 1.0))
    assert dark((0.0, 0.5, 1.0), 0.5) == pytest.approx((0.0, 0.25, 0.5))
    assert light(RED, 0) == dark(RED, 0) == RED


def test_arcs() -> None:
    points = arc(1, 2, 3, 4, 0, 90, steps=3)
    half = math.sqrt(0.5)
    assert np.allclose(points, [(4, 2), (1 + 3 * half, 2 + 4 * half), (1, 6)])  # 90 degrees is down
    assert np.allclose(arc(0, 0, 1, 0, 0, 0, angle=90, steps=1), [(0, 1)])


@pytest.mark.parametrize("closed", [True, False])
def test_smooth_curves_go_through_their_points(closed: bool) -> None:
    points = [(0.0, 0.0), (1.0, 2.0), (3.0, 1.0), (4.0, -1.0)]
    curve = np.array(smooth(points, closed=closed))
    for point in points:
        assert np.abs(curve - point).sum(axis=1).min() < 1e-9
    assert len(curve) == (8 * 4 if closed else 8 * 3 + 1)
    straight = np.array(smooth([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]))
    assert np.allclose(straight[:, 0], straight[:, 1])
