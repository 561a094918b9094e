"""The page of `dapt explain`: every image, its parts, and where each model looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.environment import version
from dapt.evaluation.explain_sheet import answer_rows, mask_picture, share_words, tiles
from dapt.evaluation.explanation import Explanation, Look
from dapt.model.nearest_words import NearestWords
from dapt.report.pages import data_uri, write_page

MARK = '<meta name="generator" content="dapt explain">'


def entry_of(one: Explanation, picture: str) -> dict[str, Any]:
    """What the page shows of an image; its pictures are in it, so that the image itself can go."""
    masked = mask_picture(one)
    coverage = one.coverage
    return {
        "name": one.path.name,
        "path": str(one.path),
        "picture": picture,
        "size": f"{one.size[1]} × {one.size[0]} pixels",
        "coverage": one.problem if coverage is None else f"{100 * coverage:.0f}% of what the model sees is foreground",
        "photo": data_uri(one.picture),
        "mask": "" if masked is None else data_uri(masked),
        "looks": [_look(one, title, look) for title, look in one.looks.items()],
    }


def _look(one: Explanation, title: str, look: Look) -> dict[str, Any]:
    evidence = look.evidence
    share = None if evidence is None else evidence.background_share
    return {
        "title": title,
        "says": look.whole.classes[0],
        "chance": 100 * look.whole.probabilities[0],
        "words": share_words(look),
        "share": None if share is None else 100 * share,
        "evidence": evidence,
        "on_foreground": None if look.on_foreground is None else 100 * look.on_foreground,
        "tiles": [
            {
                "title": caption,
                "src": data_uri(picture),
                "answers": []
                if answer is None
                else [(name, 100 * chance) for name, chance in answer_rows(answer, look)],
            }
            for caption, picture, answer in tiles(one, look)
        ],
    }


def write_explain_page(
    path: Path, tree: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], words: NearestWords | None
) -> None:
    """Write the page into a folder that is there, whole or not at all.

    Args:
        tree: the content of explain.json. entries: see `entry_of`.
    """
    summary = dict(tree["summary"])
    changed = summary.pop("decisions_changed")
    content = {
        "name": Path(tree["run"]).name if tree["run"] else f"zero-shot of {tree['model']}",
        "model": tree["model"],
        "classes": len(tree["classes"]),
        "source": tree["foreground"]["words"],
        "guessed": bool(tree["foreground"]["guessed_by"]),
        "given": tree["images_given"],
        "chosen": tree["images_chosen"],
        "damaged": tree["images_damaged"],
        "not_shown": [*tree["not_shown"], *tree["remarks"]],
        "summary": summary,
        "changed": changed,
        "entries": entries,
        "words": words,
        "version": version(),
    }
    write_page(path, "explain.html.j2", content)
