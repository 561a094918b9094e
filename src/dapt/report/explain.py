"""`dapt explain` as one call: explain images, and write a picture of each, a page and the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.console import cell, say, warn
from dapt.data.check.finding import count
from dapt.environment import version
from dapt.errors import DataError
from dapt.evaluation.explain_sheet import draw_sheet
from dapt.evaluation.explanation import Answer, Explainer, Explanation, Look
from dapt.evaluation.pictures import picture_files, write_picture
from dapt.evenly import evenly
from dapt.files import write_json
from dapt.lock import FolderLock
from dapt.model.nearest_words import NearestWords, nearest_words
from dapt.outputs import check_apart, check_marked, check_replaceable
from dapt.owned import sweep
from dapt.report.explain_page import MARK, entry_of, write_explain_page
from dapt.runs.explain import (
    Foreground,
    Models,
    chosen_maps,
    explain_all,
    load_models,
    make_explainer,
    name_items,
    say_guess,
    say_left_out,
    say_missing,
)
from dapt.runs.predict import check_classes, check_explain, check_explain_apart, find_images
from dapt.runs.run_folder import find_run

LIMIT = 50
JSON, PAGE = "explain.json", "explain.html"
KEYS = {"schema", "explained", "summary"}


def default_out(run: Path | None) -> Path:
    """Where pictures go if nothing else is said."""
    return Path("explained") / ("zero-shot" if run is None else find_run(run).path.resolve().name)


def explain_and_write(
    images: Sequence[Path],
    out: Path | None = None,
    *,
    run: Path | None = None,
    model: str | None = None,
    classes: Sequence[str] | None = None,
    foreground: Foreground | None = None,
    maps: Sequence[str] | None = None,
    top: int = 5,
    limit: int = LIMIT,
    skip_bad: bool = False,
    device: str = "auto",
) -> dict[str, Any]:
    """Explain images before and after adaptation, and write what was found.

    Args:
        images: files and folders. out: folder for the outputs; None: see `default_out`. run: a finished run; None:
            zero-shot alone. model: backbone of zero-shot, or another name of the run's. classes: to choose among; None:
            the trained ones. foreground: where it comes from. maps: cues by which to show where the models look; None:
            all. top: so many classes of each view. limit: so many images, evenly chosen. skip_bad: leave out images
            that cannot be read.

    Returns:
        the content of explain.json.

    Raises:
        DaptError: anything the user can mend; nothing is written over that dapt did not write. Another process writes
            into the folder.
    """
    foreground = foreground or Foreground()
    check_classes(classes)
    names = chosen_maps(maps)
    files = list(dict.fromkeys(find_images(images)))
    chosen = evenly(files, limit)
    if run is not None:
        find_run(run)
    folder = default_out(run) if out is None else out
    targets = _targets(folder, chosen, images, run, foreground)
    if len(chosen) < len(files):
        are = "is" if len(chosen) == 1 else "are"
        say(f"{len(chosen)} of {len(files)} images {are} explained, evenly chosen; --limit {len(files)} explains all")
    say_guess(foreground)
    models = load_models(run, model_spec=model, classes=classes, device=device)
    explainer = make_explainer(models, foreground, names, top=top, skip_bad=skip_bad)
    items = name_items(chosen, foreground)
    by_default = foreground.cue is None and foreground.masks is None
    rows, entries = [], []
    with FolderLock(folder):
        sweep(folder, [path.name for path in (*targets.values(), folder / JSON, folder / PAGE)])
        for one in explain_all(explainer, items, default_cue=by_default):
            target = targets[one.path]
            write_picture(draw_sheet(one, foreground.words), target)
            rows.append(_row(one, target.name))
            entries.append(entry_of(one, target.name))
        say_left_out(explainer)
        if not rows:
            raise DataError("None of the images can be read, so there is nothing to explain.")
        without = [row["image"] for row in rows if row["foreground"]["share"] is None]
        say_missing(explainer, without, len(rows))
        remarks = _remarks(rows, [subject.title for subject in explainer.subjects])
        for sentence in remarks:
            warn(sentence)
        words = _words(models, rows)
        tree = _tree(rows, models, explainer, run, foreground, words, names)
        tree |= {"remarks": remarks}
        tree |= {"images_given": len(files), "images_chosen": len(chosen), "images_damaged": len(explainer.damaged)}
        write_json(folder / JSON, tree, make_parents=False)
        write_explain_page(folder / PAGE, tree, entries, words)
    say(f"{count(len(rows), 'picture')}, {PAGE} and {JSON} in {folder}")
    return tree


def _targets(
    out: Path, chosen: Sequence[Path], images: Sequence[Path], run: Path | None, foreground: Foreground
) -> dict[Path, Path]:
    """Where the picture of each image goes, if everything may be written there.

    Raises:
        ConfigError: the folder lies where something else is read or kept, or holds files that dapt did not write.
    """
    check_explain(out, images, "--out")
    check_apart(out, {"the masks": foreground.masks})
    if run is not None:
        check_explain_apart(out, run, "--out")
    files = picture_files(chosen, out, "--out")
    check_replaceable(out / JSON, KEYS, "--out")
    check_marked(out / PAGE, MARK, "--out", todo="Choose another folder; it was left alone.")
    return dict(zip(chosen, files, strict=True))


def _words(models: Models, rows: Sequence[Mapping[str, Any]]) -> NearestWords | None:
    """The words near to the learned text vectors of the run; None without a run."""
    if models.after is None:
        return None
    decided = [look["class"] for row in rows for look in row["looks"].values()]
    return nearest_words(models.after, classes=decided)


def _row(one: Explanation, picture: str) -> dict[str, Any]:
    return {
        "image": str(one.path),
        "picture": picture,
        "height": one.size[0],
        "width": one.size[1],
        "foreground": {"share": one.coverage, "problem": one.problem or None},
        "looks": {title: _look(look) for title, look in one.looks.items()},
    }


def _look(look: Look) -> dict[str, Any]:
    evidence = look.evidence
    return {
        "class": look.whole.classes[0],
        "probability": look.whole.probabilities[0],
        "background_share": None if evidence is None else evidence.background_share,
        "evidence_nats": None
        if evidence is None
        else {
            "foreground": evidence.foreground,
            "background": evidence.background,
            "whole_log_odds": evidence.whole,
            "empty_log_odds": evidence.empty,
        },
        "attention_on_foreground": look.on_foreground,
        "views": {
            name: None if answer is None else _answer(answer)
            for name, answer in (
                ("whole", look.whole),
                ("foreground", look.foreground),
                ("background", look.background),
                ("empty", look.empty),
            )
        },
        "maps": {name: found is not None for name, found in look.maps.items()},
    }


def _answer(answer: Answer) -> dict[str, Any]:
    pairs = zip(answer.classes, answer.probabilities, strict=True)
    return {
        "predictions": [{"class": name, "probability": chance} for name, chance in pairs],
        "probability_of_decision": answer.decided,
    }


def _tree(
    rows: Sequence[Mapping[str, Any]],
    models: Models,
    explainer: Explainer,
    run: Path | None,
    foreground: Foreground,
    words: NearestWords | None,
    maps: Sequence[str],
) -> dict[str, Any]:
    titles = [subject.title for subject in explainer.subjects]
    missing = list(dict.fromkeys(text for subject in explainer.subjects for text in subject.missing))
    return {
        "schema": 1,
        "dapt": version(),
        "run": None if run is None else str(run),
        "model": models.first.clip.spec,
        "classes": list(models.first.names),
        "foreground": {
            "source": foreground.source,
            "guessed_by": foreground.made_by or None,
            "masks": None if foreground.masks is None else str(foreground.masks),
            "words": foreground.words,
        },
        "maps": list(maps),
        "not_shown": [*missing, *([explainer.missing] if explainer.missing else [])],
        "summary": {title: _summary([row["looks"][title] for row in rows]) for title in titles}
        | {"decisions_changed": _changed(rows, titles)},
        "words": None if words is None else _words_tree(words),
        "explained": list(rows),
    }


def _remarks(rows: Sequence[Mapping[str, Any]], titles: Sequence[str]) -> list[str]:
    """Of each model how many images tell it no more than no image does, a sentence; none where all tell it more."""
    found = []
    for title in titles:
        known = [evidence for row in rows if (evidence := row["looks"][title]["evidence_nats"]) is not None]
        none = sum(evidence["whole_log_odds"] <= evidence["empty_log_odds"] for evidence in known)
        if none:
            found.append(
                f"{title}: in {none} of {count(len(known), 'image')} it is no surer of its class than with nothing to "
                "see (the mean colour), so the decision hardly rests on the image, and the share says little."
            )
    return found


def _summary(looks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over the images of which a figure is known, and how many those are."""
    found: dict[str, Any] = {}
    for key in ("background_share", "attention_on_foreground"):
        values = [look[key] for look in looks if look[key] is not None]
        found[key] = sum(values) / len(values) if values else None
        found[f"{key}_images"] = len(values)
    return found


def _changed(rows: Sequence[Mapping[str, Any]], titles: Sequence[str]) -> int | None:
    """In how many images the two models decide for different classes."""
    if len(titles) < 2:
        return None
    return sum(len({row["looks"][title]["class"] for title in titles}) > 1 for row in rows)


def _words_tree(words: NearestWords) -> dict[str, Any]:
    return {
        "missing": words.missing or None,
        "typical_distance": words.typical,
        "notes": list(words.notes),
        "vectors": None
        if words.vectors is None
        else [
            {
                "class": name or None,
                "vector": number,
                "nearest": [{"word": near.word, "distance": near.distance} for near in nearest],
            }
            for name, vectors in words.vectors.items()
            for number, nearest in enumerate(vectors, start=1)
        ],
    }


def print_explanations(tree: Mapping[str, Any]) -> None:
    """Print the decisions as a table on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in ("image", "model", "class"):
        table.add_column(name, overflow="fold")
    for name in ("probability", "rests on background", "attention on foreground"):
        table.add_column(name, justify="right", min_width=max(map(len, name.split())))
    for row in tree["explained"]:
        for number, (title, look) in enumerate(row["looks"].items()):
            image = "" if number else row["image"]
            figures = (look["probability"], look["background_share"], look["attention_on_foreground"])
            shown = [cell("-" if value is None else f"{100 * value:.1f}%") for value in figures]
            table.add_row(cell(image), cell(title), cell(look["class"]), *shown)
    Console().print(table)
