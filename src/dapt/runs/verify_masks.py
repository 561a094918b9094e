"""`dapt masks verify`: whether every image has a mask that training can use."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.colour import BLACK, colour_of
from dapt.config import MaskFormat
from dapt.console import cell, progress, show, warn
from dapt.data.catalog.base import data_root
from dapt.data.items import UNLABELLED, ImageSet, Item
from dapt.data.load.notes import say_notes
from dapt.data.masks.coverage import ClassMasks
from dapt.data.masks.drawn import with_drawn_masks
from dapt.data.masks.judged import PROBLEMS, Verdict, judge
from dapt.data.masks.mask_collections import MaskCounts, check_convention, doubts_and_hint, formats_that_fit
from dapt.data.masks.mask_files import check_format, mask_folder
from dapt.data.masks.mask_finder import MaskFinder, own_or_found
from dapt.data.masks.not_found import explain_not_found
from dapt.data.masks.rules import MaskRules
from dapt.data.resolve import load_photos, path_of
from dapt.errors import DataError
from dapt.files import write_json
from dapt.outputs import check_file, check_replaceable
from dapt.regular import irregular
from dapt.runs.apart import check_file_apart
from dapt.wording import counted

SHOWN_NAMES = 5


VERIFICATION_KEYS = {"schema", "mask_format", "total", "classes", "wrong_format"}  # of the JSON file


@dataclass
class Row:
    """Counts for some images.

    Attributes:
        images: their number. names: of the images with each problem. coverage: shares of the usable masks, 0..1.
        resized, misread, framed: numbers of masks, as in `Verdict`. reason, shape: why the first unreadable one is, and
            the sizes of the first of a wrong shape.
    """

    images: int = 0
    names: dict[str, list[str]] = field(default_factory=lambda: {problem: [] for problem in PROBLEMS})
    coverage: list[float] = field(default_factory=list)
    resized: int = 0
    misread: int = 0
    framed: int = 0
    reason: str = ""
    shape: str = ""

    def add(self, item: Item, verdict: Verdict) -> None:
        """Count one image."""
        self.images += 1
        self.resized += verdict.resized
        self.misread += verdict.misread
        self.framed += verdict.framed
        if verdict.problem == "wrong shape":
            self.shape = self.shape or verdict.reason
        else:
            self.reason = self.reason or verdict.reason
        if verdict.problem:
            self.names[verdict.problem].append(item.name)
        if verdict.coverage is not None:
            self.coverage.append(verdict.coverage)

    def count(self, problem: str) -> int:
        """How many images have a problem."""
        return len(self.names[problem])

    @property
    def found(self) -> int:
        """Images that have a mask file."""
        return self.images - self.count("missing")

    @property
    def masks(self) -> ClassMasks:
        """The same, for what is odd about them."""
        return ClassMasks(self.coverage, self.count("empty"), self.count("full"), self.count("missing"), self.framed)

    @property
    def mean_coverage(self) -> float | None:
        """Mean coverage of the usable masks in percent; None when there are none."""
        return 100 * sum(self.coverage) / len(self.coverage) if self.coverage else None

    def figures(self) -> dict[str, int | float | None]:
        """For the JSON file."""
        mean = self.mean_coverage
        return {
            "images": self.images,
            "found": self.found,
            **{problem.replace(" ", "_"): self.count(problem) for problem in PROBLEMS},
            "usable": len(self.coverage),
            "resized": self.resized,
            "mean_coverage_percent": None if mean is None else round(mean, 3),
        }


@dataclass
class Verification:
    """What `verify_masks` found.

    Attributes:
        data: name of the data set. masks: the folder, None for the data set's own. kind: the format read.
        split: which images. total: all of them. classes: by class name, in the order of labels; where two classes
            share a name, the label stands behind it. skip_bad: masks that cannot be used are only counted.
        wrong_format: why the format seems to be another, and which; None if it does not.
        found_by: if no mask was found or could be read, the formats that read those of every class.
        looked: if no mask was found in the folder, where they were looked for, and what to do.
        doubts: what looks wrong though it can be used, see `dapt.data.masks.coverage.doubts`.
    """

    data: str
    masks: Path | None
    kind: MaskFormat
    split: str
    total: Row
    classes: dict[str, Row]
    wrong_format: DataError | None
    found_by: list[MaskFormat]
    skip_bad: bool = False
    looked: tuple[list[str], str] = field(default_factory=lambda: ([], ""))
    doubts: list[str] = field(default_factory=list)

    @property
    def mostly_unreadable(self) -> bool:
        """Whether at least half of the masks do not fit the format."""
        return 2 * self.total.count("unreadable") >= self.total.found > 0

    def to_dict(self) -> dict[str, Any]:
        """The content of the JSON file."""
        return {
            "schema": 1,
            "data": self.data,
            "masks": None if self.masks is None else str(self.masks),
            "mask_format": self.kind,
            "split": self.split,
            "total": self.total.figures(),
            "classes": {name: row.figures() for name, row in self.classes.items()},
            "names": {problem.replace(" ", "_"): names for problem, names in self.total.names.items()},
            "wrong_format": None if self.wrong_format is None else self.wrong_format.what,
            "doubts": self.doubts,
        }

    def check(self) -> None:
        """Refuse what training would refuse.

        Raises:
            DataError: no mask is usable, one is unreadable or has another shape than its image, or at least 95% are
                empty or full.
        """
        unreadable = self.total.count("unreadable")
        if self.found_by and self.mostly_unreadable:
            raise DataError(
                f"{unreadable} of {self.total.found} masks cannot be read as '{self.kind}'.",
                more=[self.total.reason] if self.total.reason else [],
                todo=f"Those of every class look like objects with --mask-format {' or '.join(self.found_by)}.",
            )
        if self.wrong_format is not None:
            raise self.wrong_format
        broken = self.total.count("wrong shape") + unreadable
        if broken and not self.skip_bad:
            raise DataError(
                f"{broken} of {self.total.found} masks cannot be used.",
                todo="Replace or remove them; training passes over them with --skip-bad.",
            )
        if not self.total.coverage:
            lines, todo = self.looked
            raise DataError(
                f"None of the images has a {'usable ' if self.total.found else ''}mask.",
                where=str(self.masks) if self.masks else "the data set's own masks",
                more=lines,
                todo=f"They are found with --mask-format {' or '.join(self.found_by)}."
                if self.found_by
                else todo
                or "Check --masks and --mask-format; docs/cues.md says where each format looks for the files.",
            )


def verify_masks(
    data: str,
    *,
    masks: Path | None = None,
    mask_format: str | None = None,
    mask_name: str | None = None,
    mask_background: str | None = None,
    split: str = "all",
    json_file: Path | None = None,
    names: str | None = None,
    root: str | None = None,
    own_split: bool = False,
    skip_bad: bool = False,
) -> Verification:
    """Read the mask of every image.

    Args:
        data: as for `load_photos`. masks: folder of masks; None: the data set's own.
        mask_format: their format; for the data set's own masks it matters only where the data set does not say.
        mask_name, mask_background: as in a configuration.
        split: ``all`` or one split. json_file: where to write `Verification.to_dict`.
        own_split: as for `load_photos`. skip_bad: also as for `load_photos`, and see `Verification`.

    Raises:
        DaptError: bad arguments, a data set without masks, or mask files that cannot be told apart.
    """
    given = {
        "the data": path_of(data),
        "the masks": masks,
        "the names file": Path(names) if names else None,
    }
    check_file(json_file, "--json", given)
    check_replaceable(json_file, VERIFICATION_KEYS, "--json")
    folder = mask_folder(masks)
    kind = check_format(mask_format or "binary")
    background = mask_background or BLACK
    colour_of(background)
    images = load_photos(data, names, root=root, own_split=own_split, skip_bad=skip_bad)
    if masks is None:
        images = with_drawn_masks(images, data_root(root))
    check_file_apart(json_file, "--json", images, data)
    items = images.chosen(split)
    finder = None
    if folder is not None:
        finder = MaskFinder(folder, kind, mask_name)
        finder.check(items)
    elif not images.has_masks:
        raise DataError(f"{images.name} has no masks of its own.", todo="Give a folder of masks with --masks.")
    else:
        kind = images.mask_format or kind
    rules = MaskRules(kind, mask_name, background)
    verdicts = _read_all(items, finder, rules)
    say_notes()
    total, classes = _count(images, items, verdicts)
    wrong = _wrong_format(total, items, folder, rules, images.mask_format)
    result = Verification(images.name, folder, kind, split, total, classes, wrong, [], skip_bad)
    if result.mostly_unreadable or not (total.coverage or wrong):
        result.found_by = formats_that_fit(items, folder, kind, rules)
    if folder is not None and not total.found and not result.found_by:
        result.looked = explain_not_found(items, folder, rules)
    if wrong is None:
        shares = {name: row.masks for name, row in classes.items()}
        result.doubts = doubts_and_hint(shares, items, folder, rules)
    if json_file is not None:
        write_json(json_file, result.to_dict())
    return result


def _read_all(items: Sequence[Item], finder: MaskFinder | None, rules: MaskRules) -> list[Verdict]:
    def look(item: Item) -> Verdict:
        files = [path for path in own_or_found(item, finder) if path.is_file() or irregular(path)]
        return judge(files, item.path, rules) if files else Verdict("missing")

    with ThreadPoolExecutor() as pool:
        return list(progress(pool.map(look, items), len(items), "reading masks", "masks"))


def _count(images: ImageSet, items: Sequence[Item], verdicts: Sequence[Verdict]) -> tuple[Row, dict[str, Row]]:
    total = Row()
    rows = {label: Row() for label in sorted({item.label for item in items}, key=lambda label: (label < 0, label))}
    for item, verdict in zip(items, verdicts, strict=True):
        total.add(item, verdict)
        rows[item.label].add(item, verdict)
    shared = images.shared_names

    def shown(label: int) -> str:
        if label == UNLABELLED:
            return "(no class)"
        name = images.names[label]
        return f"{name} {label}" if name in shared else name

    return total, {shown(label): row for label, row in rows.items()}


def _wrong_format(
    total: Row, items: Sequence[Item], folder: Path | None, rules: MaskRules, own_kind: MaskFormat | None
) -> DataError | None:
    empty, full = total.count("empty"), total.count("full")
    counts = MaskCounts(len(total.coverage) + empty + full, empty, full, total.misread)
    try:
        check_convention(counts, items, folder, rules.kind, own_kind=own_kind, rules=rules)
    except DataError as error:
        return error
    return None


def print_table(result: Verification) -> None:
    """Print counts per class, totals, and the first names of each kind of problem."""
    from rich.console import Console
    from rich.table import Table

    place = "the data set's own masks" if result.masks is None else f"masks in {result.masks}"
    show(f"{result.data} ({result.split}), {place}, read as {result.kind}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("class", overflow="fold")
    headings = ("images", "found", "missing", "empty", "full", "wrong\nshape", "unread-\nable", "coverage")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in [*result.classes.items(), ("total", result.total)]:
        mean = row.mean_coverage
        if row is result.total:
            table.add_section()
        table.add_row(
            cell(name),
            str(row.images),
            str(row.found),
            *(str(row.count(problem)) for problem in PROBLEMS),
            "-" if mean is None else f"{mean:.1f}%",
        )
    Console().print(table)
    usable = len(result.total.coverage)
    show(
        f"usable: {usable} of {result.total.images} images; "
        f"{counted(result.total.resized, 'mask')} {'needs' if result.total.resized == 1 else 'need'} resizing"
    )
    for problem, names in result.total.names.items():
        if names:
            more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
            show(f"{problem} ({len(names)}): {', '.join(names[:SHOWN_NAMES])}{more}")
    if result.total.reason:
        show(f"the first unreadable one: {result.total.reason}")
    if result.total.shape:
        show(f"the first of a wrong shape: {result.total.shape}")
    for sentence in result.doubts:
        warn(sentence)
