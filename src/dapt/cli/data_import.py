"""`dapt data import-fewshot`: a few-shot cache of CoOp-style code as a split file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import QuietOption, RootOption, at_home, silence

SHOWN = 10


def import_fewshot(
    pickle: Annotated[
        Path, typer.Argument(help="Cache file, for example split_fewshot/shot_16-seed_1.pkl.", callback=at_home)
    ],
    data: Annotated[
        str, typer.Option("--data", help="The data set: catalog name, folder, CSV index or hf:...", callback=at_home)
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Split file to write (JSON); it must not exist.", callback=at_home)
    ],
    root: RootOption = None,
    quiet: QuietOption = False,
) -> None:
    """Turn a pickled few-shot cache of CoOp-style code into a split file.

    The pickle is read without running anything in it. Every image must be in the data set, with the same class. Test
    images are the data set's own. It is also said whether the list is the one that --shots and --seed draw anyway.

    Example:

      dapt data import-fewshot split_fewshot/shot_16-seed_1.pkl --data dtd --out dtd-old.json
    """
    silence(quiet)
    from dapt.console import say, show, warn
    from dapt.data.read.old_fewshot import compare_with_rule, match_sample, read_old_fewshot
    from dapt.data.resolve import load_data, path_of
    from dapt.errors import ConfigError, DataError
    from dapt.files import write_json
    from dapt.outputs import check_file
    from dapt.runs.apart import check_file_apart

    given = {"the cache": pickle, "the data": path_of(data)}
    check_file(out, "--out", given)
    if out.exists():
        raise ConfigError(f"{out} exists already.", todo="Choose another name for --out.")
    found = read_old_fewshot(pickle)
    images = load_data(data, root=root, rule="positions")  # which split is no matter
    check_file_apart(out, "--out", images, data)
    sample, missing = match_sample(found, images, pickle)
    if missing:
        for path in missing[:SHOWN]:
            warn(f"not in {data}: {path}")
        total = len(found["train"]) + len(found.get("val", []))
        raise DataError(
            f"{len(missing)} of the {total} images of {pickle} are not in {data}.",
            todo="Nothing was written. Complete the data set, or check that the cache belongs to it.",
        )
    if sample.from_test:
        raise DataError(
            f"{sample.from_test} training images of {pickle} are test images of {data}: accuracy would be too high.",
            todo="Nothing was written. The cache was made with another split of the data.",
        )
    show(compare_with_rule(sample, images, pickle))
    write_json(out, sample.table(images))
    counts = ", ".join(f"{len(items)} {split}" for split, items in sample.splits.items())
    say(f"{out}: {counts} images.")
