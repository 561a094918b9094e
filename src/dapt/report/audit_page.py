"""The page of `dapt audit`: figures, and the images whose answer hangs on the background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup
from PIL import Image

from dapt.data.check.finding import count
from dapt.evaluation.audit.figures import worst_images
from dapt.evaluation.audit.variants import LENT, MIXED, ONLY_BG_T, ONLY_FG, ORIGINAL, OTHER, RAND, SAME
from dapt.report.charts import bar_chart
from dapt.report.pages import data_uri, write_page
from dapt.runs.audit_objects import WHY
from dapt.runs.audit_run import Audit
from dapt.runs.audit_table import asked_words, compared, explained, guess_note, lines_of_figures, shown

WORST = 10  # images of each model on the page
CLASSES = 60  # rows of the table of classes
SHOWN = (ORIGINAL, ONLY_FG, ONLY_BG_T, *LENT)  # variants of an image on the page
SIDE = 192  # pixels of a picture on the page


def write_audit_page(path: Path, audit: Audit) -> None:
    """Write the page, whole or not at all: nothing in it is loaded from elsewhere.

    Raises:
        DaptError: the file system refuses, or an image cannot be read any more.
    """
    record = audit.record
    models = [model["name"] for model in record["models"]]
    content = {
        "record": record,
        "images": count(record["images"], "image"),
        "classes": count(len(record["classes"]), "class", "classes"),
        "models": models,
        "lead": _lead(record),
        "guess": guess_note(record),
        "split": asked_words(record),
        "rows": lines_of_figures(record),
        "explained": explained(record),
        "compared": compared(record),
        "chart": Markup(_chart(record)),
        "by_class": [_by_class(model) for model in record["models"]],
        "worst": [_worst(audit, name) for name in models],
        "notes": _notes(record),
    }
    write_page(path, "audit.html.j2", content)


def _lead(record: dict[str, Any]) -> list[str]:
    """One sentence for each model."""
    told = []
    for model in record["models"]:
        original = shown(model["accuracy"][ORIGINAL])
        number = model["accuracy"][ORIGINAL]["images"]
        text = f"{model['name']} answers {original} percent of the {count(number, 'original image')} rightly"
        if "changed" in model:
            rand = model["accuracy"][RAND]
            text += f", and {shown(rand)} of the {rand['images']:,} that can be put on the background of a random class"
            text += f"; {shown(model['changed'])} percent of the answers to these change with the background"
        if "bg_gap" in model:
            gap = model["bg_gap"]
            text += f". Its BG-gap is {shown(gap, signed=True)} points, over the {count(gap['images'], 'image')} that "
            text += f"have both {SAME} and {RAND}"
        told.append(text + ".")
    return told


def _chart(record: dict[str, Any]) -> str:
    """Accuracy by variant; whiskers are the interval."""
    names = list(record["variants"])
    bars: dict[str, list[tuple[float, float | tuple[float, float]]]] = {}
    for model in record["models"]:
        bars[model["name"]] = []
        for name in names:
            figure = model["accuracy"][name]
            value = figure["value"] or 0.0
            around = (0.0, 0.0) if figure["value"] is None else (value - figure["low"], figure["high"] - value)
            bars[model["name"]].append((value, (max(0.0, around[0]), max(0.0, around[1]))))
    return bar_chart(names, bars, y_label="accuracy, percent", size=(13.0, 4.2))


def _bar(figure: dict[str, Any]) -> tuple[float, float]:
    if figure["value"] is None:
        return 0.0, 0.0
    return figure["value"], (figure["high"] - figure["low"]) / 2


def _by_class(model: dict[str, Any]) -> dict[str, Any]:
    """The classes of a model, those first that hang most on the background."""
    rows = [{"name": name, **row} for name, row in model["per_class"].items()]
    rows.sort(key=lambda row: -(row.get("bg_gap") or 0.0))
    keys = [key for key in (ORIGINAL, *LENT, ONLY_BG_T, "bg_gap", "changed") if rows and key in rows[0]]
    shown_rows = [(row["name"], row["images"], [_percent(row[key]) for key in keys]) for row in rows[:CLASSES]]
    more = f"and {count(len(rows) - CLASSES, 'class', 'classes')} more, in audit.json" if len(rows) > CLASSES else ""
    return {"name": model["name"], "keys": keys, "rows": shown_rows, "more": more}


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _worst(audit: Audit, name: str) -> dict[str, Any]:
    """The images of a model that a foreign background overturns, with what it answers to their variants."""
    answers, names, material = audit.answers[name], audit.material.names, audit.material
    variants = [each for each in SHOWN if each in audit.variants]
    places = worst_images(audit.asked, answers, WORST)
    rows = []
    for place in places:
        label = material.labels[place]
        tiles = []
        for variant, pixels in audit.scenes.variants(place, variants).items():
            row = answers.variants.index(variant)
            said = int(answers.predicted[row, place])
            picture = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
            picture.thumbnail((SIDE, SIDE))
            tiles.append(
                {
                    "src": data_uri(picture),
                    "alt": variant,
                    "right": said == label,
                    "says": names[said],
                    "chance": f"{100 * float(answers.confidence[row, place]):.0f}%",
                    "background": _background(audit, variant, place),
                }
            )
        rows.append({"name": material.items[place].name, "class": names[label], "tiles": tiles})
    return {"name": name, "variants": variants, "rows": rows}


def _background(audit: Audit, variant: str, place: int) -> str:
    """The class that lent the background of a mixture."""
    if variant not in MIXED:
        return ""
    return audit.material.class_of(audit.material.donors.to(variant, place))


def _notes(record: dict[str, Any]) -> list[str]:
    """What is left out, in sentences."""
    notes = [f"{count(left['images'], 'image')} {WHY[why]} left out." for why, left in record["left_out"].items()]
    shares = "in the other shares that dapt made, as the data has no splits of its own"
    whys = {"in other splits": shares} if record["divided"] else {}
    notes += [
        f"{count(number, 'image')} not asked about: {whys.get(why, why)}." for why, number in record["unused"].items()
    ]
    if record["damaged"]:
        notes.append(f"{count(record['damaged'], 'image')} damaged, and left out.")
    donors = record["donors"]
    aside = f", {donors['only_lend']:,} images that are not asked about among them" if donors["only_lend"] else ""
    notes.append(f"Backgrounds are lent by {count(donors['images'], 'image')}{aside}.")
    if record["backgrounds"]:
        lent = record["backgrounds"]
        whole = ", whole, as there are no masks" if lent["lent_whole"] else ""
        own = (
            f"; {lent['own']:,} more of its photos, images of {record['data']} itself, lend none" if lent["own"] else ""
        )
        lenders = f"{count(lent['images'], 'photo')} of {lent['data']}"
        notes.append(f"Backgrounds of {OTHER} are lent by {lenders}{whole}{own}.")
    if donors["only_lend_without_mask"]:
        notes.append(
            f"{count(donors['only_lend_without_mask'], 'image')} would only lend a background, and cannot: there is no "
            "mask of use."
        )
    if donors["filled_in"]:
        notes.append(
            f"{count(donors['filled_in'], 'object')} fill so much of the picture that its background is filled in "
            "smoothly instead of tiled; these images lend no background."
        )
    for key, what in (
        ("classes_without", "no image with a background to lend"),
        ("classes_alone", f"images not in {SAME}"),
    ):
        if donors[key]:
            notes.append(f"{count(len(donors[key]), 'class', 'classes')} with {what}: {', '.join(donors[key][:8])}.")
    for model in record["models"]:
        if model["leaks"]:
            notes.append(f"{model['name']} was trained on {count(model['leaks']['test_images'], 'of the images', '')}.")
    return notes
