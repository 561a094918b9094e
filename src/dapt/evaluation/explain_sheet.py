"""One picture of everything there is to say about an image: the photo, its parts, and where each model looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

from dapt.evaluation.cue_maps import title_of
from dapt.evaluation.explanation import Answer, Explanation, Look
from dapt.evaluation.pictures import CAPTION, GAP, PAPER, SIDE, enlarge, overlay, row, to_photo, write_line

MARGIN = 14
LINE = 17
HEAD = SIDE + CAPTION
TILES = 5  # a sheet is at least so wide
ALREADY = 0.5  # a greater probability by an empty image is told
SOFT, PANEL = "#57606a", "#e4e8ec"
FRONT, BACK = "#0072b2", "#e69f00"  # Okabe and Ito's blue and orange, told apart by every kind of colour vision
FULL_TITLE, FRONT_TITLE, BACK_TITLE = "what the model sees", "foreground only", "background only"


def tiles(explanation: Explanation, look: Look) -> Iterator[tuple[str, Image.Image, Answer | None]]:
    """The pictures of one model on an image: title, picture, and what the model says to it where it is a view."""
    photo = to_photo(explanation.seen)
    yield FULL_TITLE, _picture(photo), look.whole
    if explanation.mask is not None:
        shown = _resized(explanation.mask[0])[..., None]
        hidden = np.array(explanation.hidden, dtype=np.float32) * 255
        yield FRONT_TITLE, _picture(photo * shown + hidden * (1 - shown)), look.foreground
        yield BACK_TITLE, _picture(photo * (1 - shown) + hidden * shown), look.background
    if look.attention is not None:
        yield "attention", overlay(photo, enlarge(look.attention[None])), None
    for name, found in look.maps.items():
        title = title_of(name, look.whole.classes[0])
        if found is None:
            yield f"{title} (nothing found)", _picture(photo * 0.4), None
        else:
            yield title, overlay(photo, enlarge(found[None])), None


def draw_sheet(explanation: Explanation, found_by: str) -> Image.Image:
    """The picture of an image.

    Args:
        found_by: where its foreground comes from, in a few words.
    """
    looks = explanation.looks
    rows = {title: list(tiles(explanation, look)) for title, look in looks.items()}
    width = max([TILES, *map(len, rows.values())]) * (SIDE + GAP) - GAP
    lines = 1 + max(len(look.whole.classes) for look in looks.values())
    each = LINE + 6 + HEAD + lines * LINE + 10
    sheet = Image.new("RGB", (width + 2 * MARGIN, 2 * MARGIN + HEAD + len(rows) * (each + MARGIN)), PAPER)
    draw = ImageDraw.Draw(sheet)
    _draw_head(sheet, draw, explanation, found_by, width)
    top = MARGIN + HEAD + MARGIN
    for title, shown in rows.items():
        draw.line((MARGIN, top, MARGIN + width - 1, top), fill=PANEL)
        write_line(draw, (MARGIN, top + 5), title, width, 14)
        sheet.paste(row([(caption, picture) for caption, picture, _ in shown]), (MARGIN, top + LINE + 6))
        below = top + LINE + 6 + HEAD + 4
        for index, (caption, _, answer) in enumerate(shown):
            left = MARGIN + index * (SIDE + GAP)
            if answer is not None:
                _draw_answer(draw, answer_rows(answer, looks[title]), (left, below))
            elif caption == "attention" and (share := looks[title].on_foreground) is not None:
                write_line(draw, (left + 1, below), f"{100 * share:.0f}% of it on the foreground", SIDE, fill=SOFT)
        top += each + MARGIN
    return sheet


def mask_picture(explanation: Explanation) -> Image.Image | None:
    """The whole photo with its background greyed out and the foreground outlined; None without a mask."""
    if explanation.picture_mask is None:
        return None
    mask = explanation.picture_mask.numpy()
    photo = np.asarray(explanation.picture, dtype=np.float32)
    grey = photo.mean(axis=2, keepdims=True) * 0.3 + 150
    drawn = photo * mask[..., None] + grey * (1 - mask[..., None])
    edge = np.asarray(Image.fromarray((mask > 0.5).astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))) > 0
    drawn[edge & (mask <= 0.5)] = (0, 114, 178)
    return _picture(drawn)


def answer_rows(answer: Answer, look: Look) -> list[tuple[str, float]]:
    """The classes listed for a view, with probabilities; the one decided for comes last where it is not among them."""
    rows = list(zip(answer.classes, answer.probabilities, strict=True))
    decided = look.whole.classes[0]
    return rows if decided in answer.classes else [*rows, (decided, answer.decided)]


def share_words(look: Look) -> str:
    """The background's share of a decision, in words."""
    evidence = look.evidence
    if evidence is None:
        return "no two parts to compare" if look.foreground is None else "of a single class there is nothing to decide"
    anyway = ""
    if not evidence.adds:
        anyway = f"; with nothing to see it is as sure or surer, {100 * look.empty.decided:.0f}%"
    elif look.empty.decided > ALREADY:  # the share is one of the little that is added to it
        anyway = f"; but with nothing to see it is at {100 * look.empty.decided:.0f}% already"
    if evidence.background_share is None:
        return f"neither part speaks for it{anyway}"
    share = f"{100 * evidence.background_share:.0f}% of the decision rests on the background"
    if evidence.background < 0:
        return f"{share}, which speaks against it{anyway}"
    return share + (", the foreground speaks against it" if evidence.foreground < 0 else "") + anyway


def _draw_head(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, explanation: Explanation, found_by: str, width: int
) -> None:
    """The photo as it is, its mask, and the summary beside them."""
    pictures = [("photo", explanation.picture)]
    masked = mask_picture(explanation)
    if masked is not None:
        pictures.append(("foreground mask", masked))
    for index, (caption, picture) in enumerate(pictures):
        left = MARGIN + index * (SIDE + GAP)
        write_line(draw, (left + 1, MARGIN + 1), caption, SIDE - 2)
        fitted = _contained(picture)
        sheet.paste(fitted, (left, MARGIN + CAPTION))
    left = MARGIN + 2 * (SIDE + GAP) + 10
    room = MARGIN + width - left
    write_line(draw, (left, MARGIN + 1), explanation.path.name, room, 17)
    top = MARGIN + 26
    height, wide = explanation.size
    coverage = explanation.coverage
    found = f"{100 * coverage:.0f}% of what the model sees" if coverage is not None else explanation.problem
    for line in (f"{wide} x {height} pixels", f"foreground ({found_by}): {found}"):
        write_line(draw, (left, top), line, room, fill=SOFT)
        top += LINE
    for title, look in explanation.looks.items():
        top += 8
        said = f"{title}: {look.whole.classes[0]} {100 * look.whole.probabilities[0]:.0f}%"
        write_line(draw, (left, top), said, room, 14)
        top += LINE + 3
        if look.evidence is not None:
            _draw_share(draw, look, (left, top), min(room, 320))
            top += 14
        write_line(draw, (left, top), share_words(look), room, fill=SOFT)
        top += LINE
    if any(look.evidence is not None for look in explanation.looks.values()):
        write_line(draw, (left, top + 4), "bars: blue is the foreground, orange the background", room, 11, SOFT)


def _draw_share(draw: ImageDraw.ImageDraw, look: Look, place: tuple[int, int], width: int) -> None:
    """A bar: the foreground's part blue, the background's part orange; empty where neither speaks for the class."""
    left, top = place
    share = look.evidence.background_share if look.evidence is not None else None
    draw.rectangle((left, top, left + width, top + 9), fill=PANEL)
    if share is None:
        return
    middle = left + round(width * (1 - share))
    if middle > left:
        draw.rectangle((left, top, middle, top + 9), fill=FRONT)
    if middle < left + width:
        draw.rectangle((middle, top, left + width, top + 9), fill=BACK)


def _draw_answer(draw: ImageDraw.ImageDraw, rows: Sequence[tuple[str, float]], place: tuple[int, int]) -> None:
    """The likely classes, each with a bar behind its name and its percentage at the right."""
    left, top = place
    for name, chance in rows:
        draw.rectangle((left, top, left + round((SIDE - 1) * chance), top + LINE - 3), fill="#cfe3f1")
        write_line(draw, (left + 3, top), name, SIDE - 54)
        write_line(draw, (left, top), f"{100 * chance:.1f}%", SIDE - 3, right=True)
        top += LINE


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _contained(picture: Image.Image) -> Image.Image:
    """A picture that fits into a tile, in its own aspect."""
    scale = SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BICUBIC)


def _resized(mask: Tensor) -> np.ndarray:
    """A mask ``[H, W]`` as ``[SIDE, SIDE]``."""
    picture = Image.fromarray((mask.float().cpu().numpy() * 255).astype(np.uint8))
    shown: np.ndarray = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.NEAREST), dtype=np.float32) / 255
    return shown
