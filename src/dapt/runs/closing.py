"""What `dapt train` says at the end: what the run is worth, what it still confuses, and what to do next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from dapt.config import RunConfig
from dapt.console import say, warn
from dapt.data.check.finding import count
from dapt.evaluation.accuracy_interval import is_more, wilson
from dapt.methods.base import METHODS
from dapt.results import RunResults
from dapt.runs.run_data import RunData
from dapt.wording import listing

CONFUSED = 3  # pairs of classes that are told


def tell(results: RunResults, folder: Path, config: RunConfig, data: RunData) -> None:
    """Say what a person can act on."""
    for line in worth(results):
        say(line)
    behind = behind_of(results)
    if behind:
        warn(behind)
    confused = confusions(results.confusion)
    if confused:
        say(f"most often taken for another: {confused}")
    few = few_images(config, data)
    if few:
        least = sorted(few.items(), key=lambda pair: pair[1])[:CONFUSED]
        told = listing([f"'{name}' ({images})" for name, images in least])
        left = len(few) - len(least)
        more = f", and {count(left, 'more class', 'more classes')}" if left else ""
        say(f"few photos to learn from: {told}{more}")
    for line in next_commands(folder, config.data, mask_option(config, data)):
        say(line)


def few_images(config: RunConfig, data: RunData) -> dict[str, int]:
    """Classes with fewer training images than were asked for, with their number; none where all were asked for."""
    found = Counter(data.train.labels)
    return {name: found[label] for label, name in enumerate(data.train.names) if 0 < found[label] < config.shots}


def worth(results: RunResults) -> list[str]:
    """The accuracy with its interval, and the baselines beside it: one line, one more with held-back classes."""
    lines = []
    for key, images, what in (
        ("test/accuracy", results.counts.get("test", 0), "accuracy"),
        ("test/accuracy_novel", results.counts.get("test_novel", 0), "accuracy on held-back classes"),
    ):
        own = results.metrics.get(key)
        if own is None or not images:
            continue
        low, high = wilson(own, images)
        beside = [
            f"{METHODS.get(name).title} {found[key]:.1f}%"
            for name, found in results.baselines.items()
            if found.get(key) is not None
        ]
        without = f"; without training {listing(beside)}" if beside else ""
        lines.append(
            f"{what} {own:.1f}% (95% interval {low:.1f} to {high:.1f}, {count(images, 'test image')}){without}"
        )
    return lines


def behind_of(results: RunResults) -> str | None:
    """That a baseline is better than the run, and what to do; None where none is."""
    own, images = results.metrics.get("test/accuracy"), results.counts.get("test", 0)
    if own is None or not images:
        return None
    better = {name: float(found["test/accuracy"] or 0.0) for name, found in results.baselines.items()}
    better = {name: value for name, value in better.items() if value > own}
    if not better:
        return None
    name = max(better, key=lambda each: better[each])
    chance = "" if is_more(better[name], own, images) else ", though chance may make as much of so few images"
    return (
        f"{METHODS.get(name).title}, which takes no training, is better on the test images by "
        f"{better[name] - own:.1f} points{chance}. Try --method {name}, or more --epochs and another --lr "
        "(dapt tune looks for them by validation images)."
    )


def confusions(confusion: Mapping[str, Mapping[str, int]]) -> str:
    """The pairs of classes with most wrong answers: ``lynx for cat (5 of 20), ...``; empty where all are right."""
    pairs = [
        (wrong, sum(said.values()), true, name)
        for true, said in confusion.items()
        for name, wrong in said.items()
        if name != true
    ]
    pairs.sort(key=lambda each: (-each[0], each[2], each[3]))
    return ", ".join(f"{true} for {name} ({wrong} of {total})" for wrong, total, true, name in pairs[:CONFUSED])


def mask_option(config: RunConfig, data: RunData) -> str:
    """Where `dapt audit` gets the objects of the test images from: a folder, the data's own masks, or a guess."""
    if config.masks:
        return f" --masks {shlex.quote(config.masks)}"
    return "" if any(item.mask is not None for item in data.test.items) else " --cue border"


def next_commands(folder: Path, data: str, masks: str) -> list[str]:
    """Three commands to go on with.

    Args:
        data: as it was named. masks: see `mask_option`.
    """
    place = shlex.quote(str(folder))
    commands = {
        f"dapt predict {place} PHOTO.jpg": "answers for new photos",
        f"dapt explain {place} PHOTO.jpg": "where it looks",
        f"dapt audit {place} {shlex.quote(data)}{masks}": "how much it relies on the background",
    }
    width = max(map(len, commands))
    return ["next:", *(f"  {command:<{width}}   {what}" for command, what in commands.items())]
