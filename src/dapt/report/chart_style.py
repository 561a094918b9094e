"""How charts look: Okabe and Ito's colours, which colour-blind readers tell apart, on the page's own ground and ink.

matplotlib draws them: it is there anyway, its SVG needs no script and no network, and its text stays text. Names may
hold anything: they are shown as `dapt.console.visible` shows them, and `shortened`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from dapt.console import visible

# Okabe and Ito's palette, in an order that keeps neighbours apart.
COLOURS = ("#767676", "#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00")
INK = "#010203"  # stands for the page's text colour
LONGEST = 36  # letters of a name, where there is room
_END = 9  # of those at its end: there names of a family differ
_PER_INCH = 8  # letters


def shortened(name: str, inches: float = 5.0, letters: int | None = None) -> str:
    """A name on one line of so many inches, its middle left out where it has more letters than that, or `LONGEST`.

    Args:
        letters: at most so many, whatever the inches.
    """
    shown, room = visible(name), letters or min(LONGEST, int(_PER_INCH * inches))
    return shown if len(shown) <= room else f"{shown[: room - _END - 1]}…{shown[-_END:]}"


def written(name: str, inches: float = 5.0, letters: int | None = None) -> str:
    """A name for matplotlib, which would set what stands between two dollar signs as a formula."""
    return shortened(name, inches, letters).replace("$", r"\$")


def axes_of(size: tuple[float, float]) -> tuple[Any, Any]:
    """A figure of so many inches, and its axes without a frame."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(INK)
    axes.tick_params(colors=INK)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    return figure, axes


def legend(place: Any, handles: Sequence[Any], names: Sequence[str], **options: Any) -> None:
    """A legend of all series; matplotlib by itself leaves out names that begin with an underscore.

    Args:
        place: axes or figure.
    """
    made = place.legend(handles, list(map(str, range(len(names)))), frameon=False, labelcolor=INK, **options)
    for text, name in zip(made.get_texts(), names, strict=True):
        text.set_text(name)


def svg_of(figure: Any) -> str:
    """A figure as an ``<svg>`` element in the page's colours, as wide as its place; its text stays text."""
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "dapt"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = re.sub("<metadata>.*?</metadata>", "", text.getvalue(), flags=re.DOTALL)
    svg = re.sub("<[^>]*>", lambda tag: tag[0].replace(INK, "currentColor"), svg[svg.index("<svg") :])
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)  # as wide as its place on the page
    return re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
