"""`dapt data download`: what a benchmark data set needs, the question whether to get it, and getting it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dapt.console import say, warn
from dapt.data.archives import PREFIX, DamagedError, is_archive, put, unpack
from dapt.data.catalog.base import CATALOG, Dataset, Download, HubFiles, Manual, data_root
from dapt.data.catalog.places import find_place
from dapt.data.catalog.received import Received
from dapt.data.download import SourceError, beside, checksum_of, discard, download, free_space, remote_size, show_bytes
from dapt.data.hub_files import HubFile, find_files, get_file
from dapt.errors import ConfigError, DataError, did_you_mean

FOLDER = ".downloads"  # in the data set's folder: what has arrived and is not yet in place
MASKS = "masks"
IMAGES = "images"


@dataclass(frozen=True)
class Part:
    """One file to download.

    Attributes:
        what: kind of source. source: stands for the catalog's entry in the record, which `files` parts make complete.
        name: for people and the record. address: for people. size: bytes, None if unknown.
        target: folder that receives it or its content. item: what to download.
    """

    what: str
    source: str
    files: int
    name: str
    address: str
    size: int | None
    target: Path
    item: Download | HubFile

    @property
    def identity(self) -> tuple[str, str]:
        """The same for parts of several needs that are one download."""
        return self.source, self.name


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
        obtained: identities of the parts downloaded in this run, since one archive may serve several needs.
    """

    dataset: Dataset
    root: Path
    received: Received
    force: bool
    keep_archives: bool
    obtained: set[tuple[str, str]] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """The data set's own folder."""
        return self.root / self.dataset.folder

    @property
    def downloads(self) -> Path:
        """Where files lie until they are in place."""
        return self.folder / FOLDER


def fetch(
    name: str,
    root: str | None,
    *,
    yes: bool,
    masks: bool,
    only: list[str],
    force: bool,
    dry_run: bool,
    keep_archives: bool,
) -> None:
    """Show what a data set needs, ask, and download it into its folder under the data root.

    Args:
        name: in the catalog. root: see `data_root`. yes: do not ask. masks: the masks too. only: these kinds only;
            empty: all but masks. force: again, what is there already too. dry_run: show, and stop.
        keep_archives: do not remove archives once they are unpacked.

    Raises:
        ConfigError: no such data set or kind. DataError: no consent, no space, no source that works, or the images
            have to be fetched by hand, which the message explains.
    """
    dataset = CATALOG.get(name)
    kinds = _kinds(dataset, masks, only)
    place = data_root(root)
    job = Job(dataset, place, Received(place / dataset.folder, place), force, keep_archives)
    needs = [_choose(job, what) for what in kinds]
    parts = _distinct(needs)
    if dry_run:
        print("\n".join(_plan(job, needs)))
        return
    asks = bool(parts) and not yes
    for line in _plan(job, needs):
        print(line, file=sys.stderr) if asks else say(line)
    if parts:
        _check_space(job, parts)
        _ask(job, parts, yes)
        with _only_one(job):
            needs = [_get(job, need) for need in needs]
        say(f"{dataset.title} is in {job.folder}.")
    _tell_by_hand(job, needs, got_some=bool(parts))


def _kinds(dataset: Dataset, masks: bool, only: list[str]) -> list[str]:
    """The kinds wanted, in the catalog's order."""
    offered = list(dict.fromkeys(source.what for source in dataset.sources))
    asked = [kind.strip().lower().replace("-", " ").replace("_", " ") for kind in only]
    for kind in asked:
        if kind not in offered:
            raise ConfigError(f"{dataset.title} has no part '{kind}' to download.", todo=did_you_mean(kind, offered))
    if masks and MASKS not in offered:
        own = "Its own masks come with the rest of it." if dataset.own_masks else "Make some with dapt masks."
        raise DataError(f"There are no masks of {dataset.title} to download separately.", todo=own)
    wanted = asked or [kind for kind in offered if kind != MASKS]
    return [kind for kind in offered if kind in wanted or (masks and kind == MASKS)]


def _alternatives(dataset: Dataset, what: str) -> list[list[Download | HubFiles]]:
    sources = [source for source in dataset.sources if source.what == what and isinstance(source, (Download, HubFiles))]
    numbers = sorted({source.alternative for source in sources})
    return [[source for source in sources if source.alternative == number] for number in numbers]


def _by_hand(dataset: Dataset, what: str) -> str:
    manual = [source for source in dataset.sources if source.what == what and isinstance(source, Manual)]
    return " ".join(source.instructions for source in sorted(manual, key=lambda source: source.alternative))


def _key(source: Download | HubFiles) -> str:
    """What tells a source from others, but for `what`: one archive may serve two needs."""
    if isinstance(source, Download):
        return " ".join(filter(None, (source.url, source.to, source.inner, source.inside)))
    return " ".join(filter(None, (f"hub:{source.repo_type}:{source.repo}", source.pattern, source.to)))


def _choose(job: Job, what: str, start: int = 0) -> Need:
    """The first alternative from position `start` on that seems to work.

    Raises:
        SourceError: none does, and there are no instructions for people either.
    """
    groups = _alternatives(job.dataset, what)
    if not job.force and any(all(job.received.has(_key(source)) for source in group) for group in groups):
        return Need(what, note="there already")
    failed: SourceError | None = None
    for number, group in enumerate(groups[start:], start):
        try:
            parts = [part for source in group for part in _parts(job, source)]
            return Need(what, number, tuple(parts), note="" if parts else "there already")
        except SourceError as error:
            failed = error
            _tell_failure(job, what, error, number)
    instructions = _by_hand(job.dataset, what)
    if instructions:
        place = find_place(job.dataset, job.root) if what == IMAGES else None
        if place is not None:
            return Need(what, note=f"there already, in {place.images} (put there by hand, not checked)")
        return Need(what, number=len(groups), by_hand=instructions)
    if failed is None:  # `_get` asked for what comes after the last alternative
        raise SourceError(f"There is no other source for the {what} of {job.dataset.title}.")
    raise failed


def _tell_failure(job: Job, what: str, error: SourceError, number: int) -> None:
    """Say that alternative `number` failed, unless that ends it all and is an error."""
    more = number + 1 < len(_alternatives(job.dataset, what))
    if more or _by_hand(job.dataset, what):
        where = f" ({error.where})" if error.where else ""
        warn(f"{what}: {error.what}{where}" + (" The next source is tried." if more else ""))


def _parts(job: Job, source: Download | HubFiles) -> Iterator[Part]:
    """The files of a source that are not there yet."""
    key = _key(source)
    if not job.force and job.received.has(key):
        return
    if isinstance(source, Download):
        size = source.size if source.size is not None else remote_size(source.url)
        target = job.folder / source.to
        yield Part(source.what, key, 1, source.file_name, source.url, size, target, source)
        return
    files = find_files(source.repo, source.pattern, source.repo_type)
    for file in files:
        if job.force or not job.received.has_part(key, file.path):
            target = job.root / source.to
            yield Part(source.what, key, len(files), file.path, file.address, file.size, target, file)


def _plan(job: Job, needs: list[Need]) -> list[str]:
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
            lines += [f"{need.what}: {part.name}, {_size(part)}", f"    from {part.address}", f"    to {part.target}"]
    parts = _distinct(needs)
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


def _size(part: Part) -> str:
    return "size not known" if part.size is None else show_bytes(part.size)


def _distinct(needs: list[Need]) -> list[Part]:
    """The parts of all needs, each once."""
    return list({part.identity: part for need in reversed(needs) for part in need.parts}.values())


def _check_space(job: Job, parts: list[Part]) -> None:
    """Refuse where even archives that unpack to no more than their own size do not fit."""
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
    path = job.downloads / part.name
    return sum(each.stat().st_size for each in (path, beside(path, ".part")) if each.is_file())


def _ask(job: Job, parts: list[Part], yes: bool) -> None:
    if yes:
        return
    if not _has_terminal():
        raise DataError(
            "Nothing was downloaded: there is no terminal to ask in.",
            todo=f"Pass --yes to download {job.dataset.title} without being asked.",
        )
    import typer

    if not typer.confirm(f"Download {len(parts)} file{'s' * (len(parts) > 1)}?", err=True):
        raise DataError("Nothing was downloaded.", todo="Run again and answer y, or choose parts with --only.")


def _has_terminal() -> bool:
    return sys.stdin.isatty()


@contextmanager
def _only_one(job: Job) -> Iterator[None]:
    """Keep a second process from the same folder, and tell what an interruption leaves."""
    from filelock import FileLock, Timeout

    job.downloads.mkdir(parents=True, exist_ok=True)
    lock = FileLock(job.downloads / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DataError(
            f"Another process downloads {job.dataset.title} at this moment.", where=str(job.folder)
        ) from error
    try:
        for left_over in job.downloads.glob(f"{PREFIX}*"):
            shutil.rmtree(left_over)
        yield
    except KeyboardInterrupt:
        say("What has arrived is kept: run the same command again and it goes on from there.")
        raise
    finally:
        lock.release()
    (job.downloads / "lock").unlink(missing_ok=True)
    if not any(job.downloads.iterdir()):
        job.downloads.rmdir()


def _get(job: Job, need: Need) -> Need:
    """Download what is needed, from the next alternative where one fails; returns what became of it."""
    tried: list[Part] = []
    while need.parts:
        try:
            for part in need.parts:
                tried.append(part)
                if part.identity not in job.obtained:
                    _get_part(job, part)
                    job.obtained.add(part.identity)
            need = Need(need.what, note="downloaded")
        except SourceError as error:
            following = need.number + 1
            if following >= len(_alternatives(job.dataset, need.what)) and not _by_hand(job.dataset, need.what):
                raise
            _tell_failure(job, need.what, error, need.number)
            need = _choose(job, need.what, following)
            if need.parts:
                _check_space(job, list(need.parts))
                for part in need.parts:
                    say(f"{need.what}: {part.name}, {_size(part)}, from {part.address}")
    if not need.by_hand:
        _tidy(job, tried)
    return need


def _get_part(job: Job, part: Part) -> None:
    """Download one file, put it or its content in place, and record it."""
    if isinstance(part.item, Download):
        path = job.downloads / part.name
        if job.force:
            discard(path)
        download(part.item.url, path, checksum=part.item.checksum)
        checksum = part.item.checksum or checksum_of(path)
        unpacks, inner, inside = part.item.unpack, part.item.inner, part.item.inside
    else:
        path = get_file(part.item, job.downloads / f"hub-{part.what}", force=job.force)
        checksum = f"sha256:{part.item.sha256}" if part.item.sha256 else checksum_of(path)
        unpacks, inner, inside = is_archive(path.name), "", ""
    size = path.stat().st_size
    if unpacks:
        try:
            names = unpack(path, part.target, job.downloads, inner=inner, inside=inside)
        except DamagedError as error:
            discard(path)
            raise DamagedError(error.what, where=error.where, todo="It was removed: run the command again.") from error
    else:
        part.target.mkdir(parents=True, exist_ok=True)
        put(path, part.target / path.name)
        names = [path.name]
    job.received.add(
        part.what, part.source, part.files, part.name, size, checksum, [part.target / name for name in names]
    )
    if not (unpacks and job.keep_archives):
        discard(path)


def _tidy(job: Job, parts: list[Part]) -> None:
    """Remove what downloads left behind, failed ones too, now that another has served."""
    for part in () if job.keep_archives else parts:
        if isinstance(part.item, Download):
            discard(job.downloads / part.name)
        elif (job.downloads / f"hub-{part.what}").is_dir():
            shutil.rmtree(job.downloads / f"hub-{part.what}")


def _tell_by_hand(job: Job, needs: list[Need], *, got_some: bool) -> None:
    """Instructions for people: an error where the images are missing, or where they are all there is to say."""
    left = [need for need in needs if need.by_hand]
    left.sort(key=lambda need: need.what != IMAGES)
    if left and (left[0].what == IMAGES or not got_some):
        for need in left[1:]:
            warn(f"{need.what}: to be fetched by hand. {need.by_hand}")
        raise DataError(
            f"The {left[0].what} of {job.dataset.title} cannot be downloaded here, they are fetched by hand.",
            where=f"folder: {job.folder}",
            todo=left[0].by_hand,
        )
    for need in left:
        warn(f"{need.what}: to be fetched by hand. {need.by_hand}")
