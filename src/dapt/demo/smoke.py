"""Any experiment made so small that it runs in a minute: drawn scenes, the bundled model, one seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dapt.console import say
from dapt.demo.scene_data import write_scenes
from dapt.experiments.grid.axes import ORDER, PLURALS, listed
from dapt.methods.base import METHODS
from dapt.wording import counted

CLASSES, PER_CLASS, PIXELS = 4, 2, 64
EPOCHS = 4  # L_f and L_b of the phased variant act in the last one: its switch is at 0.7
NEEDS_VAL = "glister"
DEPTH = 9  # the bundled model has ten blocks
POINTS: dict[str, list[str]] = {"few_shot": ["1", "2"], "data_efficient": ["0.5", "1"]}
TO_OTHER_DATA = ("cross_dataset", "domain_generalisation")
LEFT_OUT = (
    "masks",
    "mask_format",
    "root",
    "names",
    "own_split",
    "split_file",
)  # they belong to the data that is replaced


def small(tree: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], list[str]]:
    """An experiment file made small; draws the scenes that it is run on into `folder`.

    Methods, DAPT, cues, protocols and all of DAPT's settings stay as they are.

    Args:
        tree: content of the file. folder: for the drawn data sets.

    Returns:
        the content of the small one, and what was changed, in words.

    Raises:
        DaptError: the scenes cannot be drawn.
    """
    found = {key: value for key, value in tree.items() if key not in LEFT_OUT}
    said = []
    home = _scenes(folder, 1)
    datas = listed(found.get("data", []))
    if datas:
        found["data"] = [str(home)]
        said.append(f"{counted(len(datas), 'data set')} -> {counted(CLASSES, 'class', 'classes')} of drawn scenes")
    found["model"] = "demo"
    found["epochs"] = EPOCHS
    said.append(f"the bundled model, {counted(EPOCHS, 'epoch')}")
    for key in ("seed", "seeds"):
        if key in found:
            seeds = listed(found[key])
            found[key] = seeds[:1]
            said.append(f"{counted(len(seeds), 'seed')} -> 1" if len(seeds) > 1 else f"seed {seeds[0]}")
    if any(listed(found.get("shots", 0))):
        found["shots"] = [1]
        said.append("one image per class")
    if "select" in found and NEEDS_VAL in listed(found["select"]):
        found["select"] = [each for each in listed(found["select"]) if each != NEEDS_VAL] or ["uniform"]
        said.append(f"without {NEEDS_VAL}, because the scenes have no val split")
    included = _entries(found, "include", datas, home)
    found["include"] = [*_shallow(found, included), *included]
    found["exclude"] = _entries(found, "exclude", datas, home)
    protocols = [str(name).replace("-", "_") for name in _protocols(found)]
    found["over"] = over = {name: points for name, points in POINTS.items() if name in protocols}
    to_other = [name for name in TO_OTHER_DATA if name in protocols]
    if to_other:
        other = str(_scenes(folder, 2))
        over |= {name: [other] for name in to_other}
    return found, said


def small_experiment(tree: Mapping[str, Any], stem: str, out: str | None) -> tuple[dict[str, Any], str]:
    """`small` beside the experiment's own folder, and said.

    Args:
        stem: name of the experiment where the tree gives none. out: folder that was asked for.

    Returns:
        the content of the small one, and its folder.

    Raises:
        DaptError: the scenes cannot be drawn.
    """
    name = f"{tree.get('name', stem)}-smoke"
    place = out or str(Path("runs") / name)
    found, said = small({**tree, "name": name}, Path(f"{place}-data"))
    say(f"small: {'; '.join(said)}. Figures of such runs mean nothing.")
    return found, place


def _scenes(folder: Path, seed: int) -> Path:
    """A small data set of drawn scenes, made anew or found there."""
    write_scenes(
        folder / f"scenes{seed}",
        seed=seed,
        classes=CLASSES,
        train_per_class=PER_CLASS,
        test_per_class=PER_CLASS,
        size=PIXELS,
        jobs=1,
    )
    return folder / f"scenes{seed}"


def _entries(tree: Mapping[str, Any], key: str, datas: list[Any], home: Path) -> list[dict[str, Any]]:
    """Entries of ``include`` or ``exclude`` as far as they are about what is left: no other data, epochs or shots.

    Of entries that give several data sets different values of the same settings the first stays.
    """
    given = tree.get(key) or []
    kept = []
    seen: set[str] = set()
    for entry in given if isinstance(given, list) else [given]:
        if not isinstance(entry, dict):
            kept.append(entry)  # the reader of experiments says what is wrong with it
            continue
        if key == "exclude" and {PLURALS.get(name, name) for name in entry} & {"data", "seed", "shots"}:
            continue
        changed = {name: value for name, value in entry.items() if name not in ("epochs", "model", "shots", *LEFT_OUT)}
        if any(each in datas for each in listed(changed.get("data", []))):
            changed["data"] = str(home)
            about = str([(name, value if name in ORDER else None) for name, value in sorted(changed.items())])
            if about in seen:  # the entry of another data set, with other values
                continue
            seen.add(about)
        if len(changed) > 1 or changed == entry:
            kept.append(changed)
    return kept


def _shallow(tree: Mapping[str, Any], included: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries that give methods with prompts in more layers than the bundled model has as many as it has.

    Args:
        included: the file's own entries; what one of them sets is left to it.
    """
    own = {key for entry in included if isinstance(entry, dict) for key in entry}
    names = [*listed(tree.get("method", [])), *listed(tree.get("methods", []))]
    found = []
    for name in names:
        if not isinstance(name, str) or name not in METHODS.names():
            continue  # the check of cells says what is wrong with it
        method = METHODS.get(name)
        options = method.options(**method.preset).model_dump()
        deep = {f"prompt.{key}": DEPTH for key, value in options.items() if "depth" in key and (value or 0) > DEPTH}
        deep = {key: value for key, value in deep.items() if key not in own}
        if deep:
            found.append({"method": name, **deep})
    return found


def _protocols(tree: Mapping[str, Any]) -> list[Any]:
    return listed(tree.get("protocol", [])) + listed(tree.get("protocols", []))
