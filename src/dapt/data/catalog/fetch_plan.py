"""What a benchmark data set still needs, from where, how large it is, and whether the disk has room for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dapt.console import warn
from dapt.data.catalog.base import Dataset, Download, HubFiles, Manual
from dapt.data.catalog.places import find_place
from dapt.data.catalog.received import Received
from dapt.data.fetch.archives import is_archive
from dapt.data.fetch.download import SourceError, beside, free_space, remote_size, show_bytes
from dapt.data.fetch.hub_files import HubFile, find_files
from dapt.errors import ConfigError, DataError, did_you_mean

FOLDER = ".downloads"  # in the data set's folder: what has arrived and is not yet in place
MASKS = "masks"
IMAGES = "images"
SPLIT = "split"
THERE = "there already (--force gets it again)"
SPLIT_ALONE = " (split file alone)"


@dataclass(frozen=True)
class Part:
    """One file to download.

    Attributes:
        what: kind of source. source: stands for the catalog's entry in the record, which `files` parts make complete.
        name: for people and the record. address: for people. size: bytes, None if unknown.
        target: folder that receives it or its content. item: what to download.
        alone: it is an archive of which only the split file is taken, so that no image is replaced.
    """

    what: str
    source: str
    files: int
    name: str
    address: str
    size: int | None
    target: Path
    item: Download | HubFile
    alone: bool = False

    @property
    def identity(self) -> tuple[str, str]:
        """The same for parts of several needs that are one download."""
        return self.source, self.name

    @property
    def recorded(self) -> str:
        """How its source is called in the record: an archive of which only the split file came is not there whole."""
        return self.source + SPLIT_ALONE if self.alone else self.source


@dataclass(frozen=True)
class Need:
    """One kind of thing a data set consists of, and how it will be had.

    Attributes:
        what: the kind. number: position of the chosen alternative. parts: what is left to download.
        note: why nothing is. by_hand: instructions, where it cannot be downloaded.
    """

    what: str
    number: int = 0
    parts: tuple[Part, ...] = ()
    note: str = ""
    by_hand: str = ""


@dataclass(frozen=True)
class Job:
    """A data set, where it goes, and what the user wants.

    Attributes:
        dataset: which. root: the data root. received: what is there. force, keep_archives, yes: see `fetch`.
        obtained: identities of the parts downloaded in this run, since one archive may serve several needs.
    """

    dataset: Dataset
    root: Path
    received: Received
    force: bool
    keep_archives: bool
    yes: bool = False
    obtained: set[tuple[str, str]] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """The data set's own folder."""
        return self.root / self.dataset.folder

    @property
    def downloads(self) -> Path:
        """Where files lie until they are in place."""
        return self.folder / FOLDER

    def place_of(self, part: Part) -> Path:
        """Where the file of a part lies until it is in place."""
        folder = self.downloads if isinstance(part.item, Download) else self.downloads / f"hub-{part.what}"
        return folder / part.name


def choose_kinds(dataset: Dataset, masks: bool, only: list[str]) -> list[str]:
    """The kinds wanted, in the catalog's order, the split last: it may come with the images.

    Raises:
        ConfigError: no such kind. DataError: no masks are offered.
    """
    offered = list(dict.fromkeys(source.what for source in dataset.sources))
    asked = [kind.strip().lower().replace("-", " ").replace("_", " ") for kind in only]
    for kind in asked:
        if kind not in offered:
            raise ConfigError(f"{dataset.title} has no part '{kind}' to download.", todo=did_you_mean(kind, offered))
    if masks and MASKS not in offered:
        own = "Its own masks come with the rest of it." if dataset.own_masks else "Make some with dapt masks."
        raise DataError(f"There are no masks of {dataset.title} to download separately.", todo=own)
    wanted = asked or [kind for kind in offered if kind != MASKS]
    chosen = [kind for kind in offered if kind in wanted or (masks and kind == MASKS)]
    return sorted(chosen, key=lambda kind: kind == SPLIT)


def alternatives(dataset: Dataset, what: str) -> list[list[Download | HubFiles]]:
    """The sources of a kind that can be downloaded, in order; those of one alternative are needed together."""
    sources = [source for source in dataset.sources if source.what == what and isinstance(source, (Download, HubFiles))]
    numbers = sorted({source.alternative for source in sources})
    return [[source for source in sources if source.alternative == number] for number in numbers]


def instructions(dataset: Dataset, what: str) -> str:
    """How a kind is fetched by hand, empty where nothing is said."""
    manual = [source for source in dataset.sources if source.what == what and isinstance(source, Manual)]
    return " ".join(source.instructions for source in sorted(manual, key=lambda source: source.alternative))


def _key(source: Download | HubFiles) -> str:
    """What tells a source from others, but for `what`: one archive may serve two needs."""
    if isinstance(source, Download):
        return " ".join(filter(None, (source.url, source.to, source.inner, source.inside)))
    return " ".join(filter(None, (f"hub:{source.repo_type}:{source.repo}", source.pattern, source.to)))


def _keys(source: Download | HubFiles) -> list[str]:
    """Under which names the record may hold the source: for a split file the whole archive does, too."""
    key = _key(source)
    return [key, key + SPLIT_ALONE] if source.what == SPLIT else [key]


def _has(job: Job, source: Download | HubFiles) -> bool:
    return any(job.received.has(key) for key in _keys(source))


def choose(job: Job, what: str, start: int = 0) -> Need:
    """The first alternative from position `start` on that seems to work.

    Raises:
        SourceError: none does, and there are no instructions for people either.
    """
    groups = alternatives(job.dataset, what)
    if not job.force and any(all(_has(job, source) for source in group) for group in groups):
        return Need(what, note=THERE)
    failed: SourceError | None = None
    for number, group in enumerate(groups[start:], start):
        try:
            parts = [part for source in group for part in _parts(job, source)]
            return Need(what, number, tuple(parts), note="" if parts else THERE)
        except SourceError as error:
            failed = error
            tell_failure(job, what, error, number)
    by_hand = instructions(job.dataset, what)
    if by_hand:
        place = find_place(job.dataset, job.root) if what == IMAGES else None
        if place is not None:
            return Need(what, note=f"there already, in {place.images} (put there by hand, not checked)")
        return Need(what, number=len(groups), by_hand=by_hand)
    if failed is None:  # `_get` asked for what comes after the last alternative
        raise SourceError(f"There is no other source for the {what} of {job.dataset.title}.")
    raise failed


def tell_failure(job: Job, what: str, error: DataError, number: int) -> None:
    """Say that alternative `number` failed, unless that ends it all and is an error."""
    more = number + 1 < len(alternatives(job.dataset, what))
    if more or instructions(job.dataset, what):
        where = f" ({error.where})" if error.where else ""
        warn(f"{what}: {error.what}{where}" + (" The next source is tried." if more else ""))


def _parts(job: Job, source: Download | HubFiles) -> Iterator[Part]:
    """The files of a source that are not there yet."""
    key = _key(source)
    if not job.force and _has(job, source):
        return
    split = source.what == SPLIT
    if isinstance(source, Download):
        size = source.size if source.size is not None else remote_size(source.url)
        target = job.folder / source.to
        alone = split and source.unpack
        yield Part(source.what, key, 1, source.file_name, source.url, size, target, source, alone)
        return
    files = find_files(source.repo, source.pattern, source.repo_type)
    for file in files:
        if job.force or not any(job.received.has_part(each, file.path) for each in _keys(source)):
            target, alone = job.root / source.to, split and is_archive(file.path)
            yield Part(source.what, key, len(files), file.path, file.address, file.size, target, file, alone)


def show_plan(job: Job, needs: list[Need]) -> list[str]:
    """What will be done, in lines."""
    dataset = job.dataset
    lines = [f"{dataset.title} ({dataset.homepage})", f"licence: {dataset.licence}"]
    shown: set[tuple[str, str]] = set()
    for need in needs:
        if need.by_hand:
            lines.append(f"{need.what}: to be fetched by hand. {need.by_hand}")
        elif not need.parts:
            lines.append(f"{need.what}: {need.note}")
        for part in need.parts:
            if part.identity in shown:
                lines.append(f"{need.what}: comes with {part.name}")
                continue
            shown.add(part.identity)
            lines += show_part(need, part)
    parts = distinct(needs)
    if parts:
        if any(part.what == IMAGES for part in parts) and (place := find_place(dataset, job.root)):
            lines.append(f"{place.images} has images already; files of the same name are replaced")
        known = [part.size for part in parts if part.size is not None]
        unknown = len(parts) - len(known)
        sizes = [show_bytes(sum(known))] if known else []
        sizes += [f"{unknown} file{'s' * (unknown > 1)} of unknown size"] if unknown else []
        lines.append(
            f"in all: {' and '.join(sizes)} to download, {show_bytes(free_space(job.folder))} free on the disk"
        )
    return lines


def show_part(need: Need, part: Part) -> list[str]:
    """One file: what, how large, from where, to where."""
    alone = " (the split file alone)" if part.alone else ""
    size = "size not known" if part.size is None else show_bytes(part.size)
    return [f"{need.what}: {part.name}, {size}", f"    from {part.address}", f"    to {part.target}{alone}"]


def total_size(parts: Iterable[Part]) -> int | None:
    """Bytes of some parts, None if one of them is of unknown size."""
    sizes = [part.size for part in parts]
    return None if None in sizes else sum(size or 0 for size in sizes)


def distinct(needs: list[Need]) -> list[Part]:
    """The parts of all needs, each once."""
    return list({part.identity: part for need in reversed(needs) for part in need.parts}.values())


def check_space(job: Job, parts: list[Part]) -> None:
    """Refuse where even archives that unpack to no more than their own size do not fit.

    Raises:
        DataError: the disk has too little space.
    """
    sizes = [part.size or 0 for part in parts]
    here = sum(_arrived(job, part) for part in parts)
    need = sum(sizes) * (2 if job.keep_archives else 1) + (0 if job.keep_archives else max(sizes)) - here
    free = free_space(job.folder)
    if need > free:
        raise DataError(
            f"At least {show_bytes(need)} are needed to download and unpack, the disk has {show_bytes(free)} left.",
            where=str(job.folder),
            todo="Free some space, choose another disk with --root, or get parts with --only.",
        )


def _arrived(job: Job, part: Part) -> int:
    """Bytes of a part that an earlier attempt left."""
    path = job.place_of(part)
    return sum(each.stat().st_size for each in (path, beside(path, ".part")) if each.is_file())
