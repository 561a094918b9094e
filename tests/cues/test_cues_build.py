"""Which cue a configuration means, and whose options are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dapt.config import RunConfig, make_config
from dapt.cues.build import build_cue, check_cue, cue_options
from dapt.data.load.image_cache import ImageCache
from dapt.data.resolve import load_data
from dapt.errors import ConfigError


def configured(data: Path | str, **settings: object) -> RunConfig:
    return make_config({"data": str(data), "dapt": True, **settings})


def test_auto_takes_masks_where_there_are_any(photos: Path, table: Path) -> None:
    plain, masked = load_data(str(photos)), load_data(str(table))
    folder = str(photos.parent / "photos-masks")
    assert build_cue(configured(photos), ImageCache(0), plain).name == "border"
    assert build_cue(configured(table), ImageCache(0), masked).name == "masks"
    assert build_cue(configured(photos, masks=folder), ImageCache(0), plain).name == "masks"
    assert build_cue(configured(table, cue="random"), ImageCache(0), masked).name == "random"


def test_a_cue_knows_what_the_run_knows(table: Path) -> None:
    config = configured(
        table, cue={"source": "random", "grid": 3}, seed=7, skip_bad=True, mask_format="labels", masks=table.parent
    )
    data = load_data(str(table))
    cache = ImageCache(0)
    context = build_cue(config, cache, data).context
    assert context.options.grid == 3
    assert (context.seed, context.skip_bad, context.kind) == (7, True, "labels")
    assert (context.folder, context.load_image, context.data) == (table.parent, cache, data)


def test_a_folder_that_is_not_there(table: Path) -> None:
    with pytest.raises(ConfigError, match="There is no mask folder /nowhere"):
        build_cue(configured(table, masks="/nowhere"), ImageCache(0), load_data(str(table)))


def test_options_of_another_cue_are_told_unless_they_are_its_defaults(capsys) -> None:
    assert cue_options("random", {"grid": 5, "threshold": 0.5}).grid == 5  # 0.5 is what gradcam does anyway
    assert capsys.readouterr().err == ""
    cue_options("random", {"threshold": 0.3})
    said = " ".join(capsys.readouterr().err.split())
    assert re.search(
        r"cue\.threshold is an option of .*gradcam.*; the masks are those of random, so it is not read", said
    )
    cue_options("random", {"normalise": "batch"})
    assert "cue.normalise is an option of gradcam; the masks are those of random, so it is not read" in (
        " ".join(capsys.readouterr().err.split())
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"treshold": 0.3}, "no setting 'cue.treshold'"),
        ({"grid": 0}, r"cue\.grid"),
        ({"grid": "many"}, r"cue\.grid"),
    ],
)
def test_options_that_no_cue_takes(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        cue_options("random", given)
    with pytest.raises(ConfigError, match=message):
        check_cue(configured("x", cue={"source": "random", **given}))


def test_checking_looks_at_the_options_of_all_cues() -> None:
    check_cue(configured("x"))
    check_cue(configured("x", cue={"source": "none"}))
    with pytest.raises(ConfigError, match=r"cue\.threshold"):
        check_cue(configured("x", cue={"source": "none", "threshold": 7}))
    with pytest.raises(ConfigError, match="There is no cue 'grdcam'") as caught:
        check_cue(configured("x", cue="grdcam"))
    assert "gradcam" in caught.value.todo


@pytest.mark.parametrize(
    ("source", "key", "todo"),
    [
        ("border", "foo", "Options of border: batch_size, cells, colour_spread, cut, share, smooth, soft, threshold."),
        ("border", "cell", "Did you mean 'cells'?"),
        ("dataset", "foo", "The cue dataset has no options."),
        ("auto", "foo", "Which ones there are depends on the cue: choose one with --cue."),
        ("border", "detectr", "Did you mean 'detector' (of grounded_sam)?"),
        ("border", "refesh", "Did you mean 'refresh'?"),
    ],
)
def test_an_unknown_option_is_answered_with_those_of_the_cue(source: str, key: str, todo: str) -> None:
    with pytest.raises(ConfigError, match=f"There is no setting 'cue.{key}'") as caught:
        check_cue(configured("x", cue={"source": source, key: 1}))
    assert caught.value.todo == todo
