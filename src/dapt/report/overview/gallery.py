"""What models say to images, without DAPT and with it: gains, failures, where both look, and learned words.

Needs the backbone, the prompts and the images at hand; where one of them is missing the page goes without, and says
why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapt.console import say
from dapt.errors import DaptError
from dapt.report.overview.material import Material, Pair
from dapt.report.overview.part import Part, PlainTable

if TYPE_CHECKING:
    from dapt.evaluation.explanation import Explanation
    from dapt.model.prompted_clip import PromptedClip

DEFAULT = 4
ASKED = 300  # test images that are looked at
SIDE = 144  # pixels of a picture
VECTORS = 12  # of the table of words
GAINS, FAILURES = "DAPT right, host wrong", "Host right, DAPT wrong"


def look(material: Material, *, images: int | None = None, device: str = "auto") -> list[Part]:
    """The gallery and the words near the learned vectors, of one pair of runs.

    Args:
        images: so many each of gains and of failures; None: `DEFAULT`; 0: models are not asked.
        device: that they are asked on.

    Returns:
        two parts; where the models cannot be asked both say why.
    """
    gallery, words = Part("gallery", "Gains and failures"), Part("words", "Words near the learned vectors")
    why = _why_not(material, images)
    if not why:
        pair = material.pairs[0]
        seed = min(pair.runs)
        say(f"asking {pair.host} and {pair.label} about test images; --gallery 0 leaves that out")
        try:
            _fill(gallery, words, pair, seed, DEFAULT if images is None else images, device)
        except DaptError as error:
            why = f"the models of {pair.words} cannot be asked: {error.what}"
            gallery, words = Part(gallery.key, gallery.title), Part(words.key, words.title)
    gallery.missing = why or gallery.missing
    words.missing = why or words.missing
    return [gallery, words]


def _why_not(material: Material, images: int | None) -> str:
    if images == 0:
        return "models were not to be asked (--gallery 0)"
    if not material.pairs:
        return "no method was run without and with DAPT on the same data, shots and seed"
    first = material.pairs[0]
    run, _ = first.runs[min(first.runs)]
    return "runs at an address elsewhere cannot be loaded" if "://" in run.folder else ""


def _fill(gallery: Part, words: Part, pair: Pair, seed: int, images: int, device: str) -> None:
    import torch

    from dapt.evaluation.evaluate import classify_images, encode_images
    from dapt.evaluation.explanation import Explainer, Subject, unlabelled
    from dapt.evenly import evenly
    from dapt.model.classifier import Classifier
    from dapt.runs.evaluated_images import evaluated_images
    from dapt.runs.load_run import load_run

    host_run, dapt_run = pair.runs[seed]
    host, _ = load_run(host_run.folder, device=device)
    dapt, config = load_run(dapt_run.folder, device=device)
    models = {pair.host: host.eval(), pair.label: dapt.eval()}
    _words(words, models)
    part = evaluated_images(config, dapt_run.folder)
    total = len(part.items)
    chosen = evenly(range(total), ASKED)
    items, labels = [part.items[place] for place in chosen], [part.labels[place] for place in chosen]
    right: list[Any] = []
    for label, model in models.items():
        model.set_classes(part.names)
        classify = Classifier(model)
        encoded = encode_images(classify, items, batch_size=50, label=f"asking {label}")
        found = classify_images(classify, encoded, labels, batch_size=50)
        right.append((found.predicted == found.expected, found.confidence))
    (before, sure_before), (after, sure_after) = right
    ends = {
        GAINS: (after & ~before, sure_after),
        FAILURES: (before & ~after, sure_before),
    }
    picked = {title: _surest(where, sure, labels, images) for title, (where, sure) in ends.items()}
    explainer = Explainer([Subject(label, model, []) for label, model in models.items()], None, host, top=1)
    for title, places in picked.items():
        with torch.no_grad():
            told = explainer.explain([unlabelled(items[place].path, items[place].name) for place in places])
        shown = [
            _entry(one, part.names[labels[place]], _answers(items[place], labels[place], part.names), items[place].name)
            for place, one in zip(places, told, strict=True)
        ]
        gallery.gallery.append({"title": f"{title} ({int(ends[title][0].sum())} of {len(items)})", "looks": shown})
    gallery.says.append(
        f"{pair.words}, seed {seed}: the images of which the model that is right is surest, of each class one "
        "before any has a second. Brighter is where the class token of the last block attends to, on what the model "
        "sees of the photo."
    )
    if len(items) < total:
        gallery.notes.append(f"{len(items)} of {total} test images were looked at, evenly chosen.")
    gallery.notes += [text for subject in explainer.subjects for text in subject.missing]


def _surest(where: Any, sure: Any, labels: Sequence[int], count: int) -> list[int]:
    """The places of a mask, those first of which the model is surest, of each class one before any has a second."""
    places: list[int] = where.nonzero().flatten().tolist()
    seen: Counter[int] = Counter()
    turns = []
    for place in sorted(places, key=lambda place: (-float(sure[place]), place)):
        turns.append((seen[labels[place]], place))
        seen[labels[place]] += 1
    return [place for _, place in sorted(turns, key=lambda turn: turn[0])[:count]]


def _answers(item: Any, label: int, names: Sequence[str]) -> set[str]:
    """The names of all classes that an image shows."""
    return {names[each] for each in (item.labels or (label,))}


def _entry(one: Explanation, true: str, expected: set[str], name: str) -> dict[str, Any]:
    from dapt.evaluation.pictures import enlarge, overlay, to_photo
    from dapt.report.pages import data_uri

    photo = to_photo(one.seen)
    plain = overlay(photo, enlarge(one.seen.mean(dim=0, keepdim=True)), 0.0)
    plain.thumbnail((SIDE, SIDE))
    tiles = [{"src": data_uri(plain), "alt": f"a photo of {true}", "title": "photo", "says": "", "right": True}]
    for label, found in one.looks.items():
        says = found.whole.classes[0]
        picture = plain
        if found.attention is not None:
            picture = overlay(photo, enlarge(found.attention[None]))
            picture.thumbnail((SIDE, SIDE))
        chance = f"{says} {100 * found.whole.probabilities[0]:.0f}%"
        alt = f"where {label} looks" if found.attention is not None else f"the photo, as {label} has no attention"
        tiles.append({"src": data_uri(picture), "alt": alt, "title": label, "says": chance, "right": says in expected})
    return {"true": true, "name": Path(name).name, "tiles": tiles}


def _words(part: Part, models: dict[str, PromptedClip]) -> None:
    """Of each model the words nearest to its learned text vectors."""
    from dapt.model.nearest_words import nearest_words

    why = []
    for label, model in models.items():
        found = nearest_words(model, classes=list(model.names)[:2])
        if found.vectors is None:
            why.append(found.missing)
            continue
        rows = [
            (
                f"{name + ', ' if name else ''}vector {number}",
                ", ".join(f"{near.word} {near.distance:.2f}" for near in words),
            )
            for name, vectors in found.vectors.items()
            for number, words in enumerate(vectors, start=1)
        ]
        title = f"{label}: words and their distance (a word is usually {found.typical:.2f} from its neighbour)"
        part.tables.append(PlainTable(title, ("vector", "nearest words"), rows[:VECTORS]))
        part.notes += [note for note in found.notes if note not in part.notes]
    part.missing = " ".join(dict.fromkeys(why)) if not part.tables else ""
