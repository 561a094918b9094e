"""No cue at all: every image goes without, and that is no mistake."""

from __future__ import annotations

from pathlib import Path

from dapt.cues.base import CUES, CueContext
from dapt.cues.none import NoCue
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache
from dapt.strict import PartOptions

ITEMS = [Item(Path(f"/nowhere/{number}.png"), 0, f"{number}.png", Path("/nowhere/mask.png")) for number in range(3)]


def made() -> NoCue:
    return NoCue(CueContext(PartOptions(), None, "binary", False, ImageCache(0), 1, None))


def test_nothing_is_read_and_all_images_are_counted() -> None:
    cue = made()
    assert cue.prepare(ITEMS, None) == [None, None, None]
    assert cue.report.counts() == {
        **{"cue_images": 3, "cue_usable": 0, "cue_empty": 0, "cue_full": 0, "cue_missing": 3, "cue_bad": 0}
    }
    cue.prepare(ITEMS[:1], None)
    assert cue.report.total == 1, "the report is of the masks prepared last"


def test_it_is_no_mistake_and_needs_no_refreshing() -> None:
    cue = made()
    cue.prepare(ITEMS, None)
    cue.check()
    assert (cue.may_be_without, cue.follows_prompts, cue.reads_files) == (True, False, False)
    assert CUES.get("none") is NoCue
