"""`dapt data download`: what a benchmark data set needs, the question whether to get it, and getting it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from dapt.console import say, show, visible, warn
from dapt.data.catalog.base import CATALOG, Download, data_root
from dapt.data.catalog.fetch_plan import (
    IMAGES,
    THERE,
    Job,
    Need,
    Part,
    alternatives,
    check_space,
    choose,
    choose_kinds,
    distinct,
    instructions,
    show_part,
    show_plan,
    tell_failure,
    total_size,
)
from dapt.data.catalog.places import find_place, tell_namesake
from dapt.data.catalog.received import RECORD, Received
from dapt.data.fetch.archive_files import ceiling_of
from dapt.data.fetch.archives import PREFIX, DamagedError, is_archive, put, unpack
from dapt.data.fetch.download import ChecksumError, SourceError, beside, checksum_of, discard, download, show_bytes
from dapt.data.fetch.hub_files import get_file
from dapt.errors import DataError
from dapt.files import leftovers, parts_in, remove_file, sync_disk
from dapt.outputs import check_folder

LOCK = "lock"  # in the folder of downloads; goes when a call comes to its end
SPLIT_ENDINGS = (".json", ".txt", ".csv")  # of split files whose name the data set does not tell


class _BusyError(DataError):
    """Another process downloads the same data set."""


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
    kinds = choose_kinds(dataset, masks, only)
    place = data_root(root)
    check_folder(place / dataset.folder, todo="Choose another --root.")
    job = Job(dataset, place, Received(place / dataset.folder, place), force, keep_archives, yes)
    needs = [choose(job, what) for what in kinds]
    parts = distinct(needs)
    if dry_run:
        show(*show_plan(job, needs))
        return
    asks = bool(parts) and not yes
    for line in show_plan(job, needs):
        print(visible(line), file=sys.stderr) if asks else say(line)
    if parts:
        check_space(job, parts)
        _ask(job, _question(parts))
        with _only_one(job) as interrupted:
            if interrupted:
                _clear_up(job, needs)
            needs = [_get(job, need) for need in needs]
        say(f"{dataset.title} is in {job.folder}.")
    elif _was_interrupted(job):
        try:
            with _only_one(job):
                _clear_up(job, needs)
        except _BusyError:
            say(f"Another process is at work in {job.downloads}.")
    _tell_by_hand(job, needs, got_some=bool(parts))


def offer(data: str, root: str | None, *, yes: bool = False) -> None:
    """Download a data set of the catalog that is not on disk, if there is somebody to ask or `yes` was said.

    Otherwise nothing happens: reading the data then says which command gets it.

    Args:
        data: what the user named as DATA; anything but a name of the catalog is left alone. root: see `data_root`.

    Raises:
        DataError: see `fetch`.
    """
    if data not in CATALOG.names() or find_place(CATALOG.get(data), data_root(root)) is not None:
        return
    if yes or _has_terminal():
        tell_namesake(data)
        fetch(data, root, yes=yes, masks=False, only=[], force=False, dry_run=False, keep_archives=False)


def _question(parts: list[Part]) -> str:
    return f"Download {len(parts)} file{'s' * (len(parts) > 1)}?"


def _ask(job: Job, question: str, refused: str = "Nothing was downloaded.") -> None:
    """Go on only with consent.

    Raises:
        DataError: there is none.
    """
    if job.yes:
        return
    if not _has_terminal():
        raise DataError(
            "Nothing was downloaded: there is no terminal to ask in.",
            todo=f"Pass --yes to download {job.dataset.title} without being asked.",
        )
    import typer

    if not typer.confirm(visible(question), err=True):
        raise DataError(refused, todo="Run again and answer y, or choose parts with --only.")


def _has_terminal() -> bool:
    return sys.stdin.isatty()


@contextmanager
def _only_one(job: Job) -> Iterator[bool]:
    """Keep a second process from the same folder, and tell what an interruption leaves.

    Yields whether an earlier call was interrupted.
    """
    from filelock import FileLock, Timeout

    interrupted = _was_interrupted(job)
    job.downloads.mkdir(parents=True, exist_ok=True)
    lock = FileLock(job.downloads / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise _BusyError(
            f"Another process downloads {job.dataset.title} at this moment.", where=str(job.folder)
        ) from error
    try:
        for left_over in job.downloads.glob(f"{PREFIX}*"):
            shutil.rmtree(left_over)
        for left_over in [*leftovers(job.folder, [RECORD]), *parts_in(job.downloads)]:
            remove_file(left_over)
        yield interrupted
    except KeyboardInterrupt:
        say("What has arrived is kept: run the same command again and it goes on from there.")
        raise
    finally:
        lock.release()
    (job.downloads / LOCK).unlink(missing_ok=True)
    if not any(job.downloads.iterdir()):
        job.downloads.rmdir()


def _was_interrupted(job: Job) -> bool:
    """Whether a call was killed: those that end by themselves leave neither their lock nor an empty folder."""
    return job.downloads.is_dir() and ((job.downloads / LOCK).exists() or not any(job.downloads.iterdir()))


def _clear_up(job: Job, needs: list[Need]) -> None:
    """Remove archives of what is in place already, which a call that was killed has left."""
    for need in needs:
        if need.note == THERE and not job.keep_archives:
            _discard_all(job, need.what)
    say(f"What an interrupted download has left in {job.downloads} and is not needed any more is removed.")


def _discard_all(job: Job, what: str) -> None:
    for source in (source for group in alternatives(job.dataset, what) for source in group):
        if isinstance(source, Download):
            discard(job.downloads / source.file_name)
            beside(job.downloads / source.file_name, ".bad").unlink(missing_ok=True)
        elif (job.downloads / f"hub-{what}").is_dir():
            shutil.rmtree(job.downloads / f"hub-{what}")


def _get(job: Job, need: Need) -> Need:
    """Download what is needed, from the next alternative where one fails; returns what became of it."""
    tried: list[Part] = []
    while need.parts:
        try:
            for part in need.parts:
                tried.append(part)
                if part.identity not in job.obtained:
                    _get_twice(job, part)
                    job.obtained.add(part.identity)
            need = Need(need.what, note="downloaded")
        except (SourceError, ChecksumError, DamagedError) as error:
            following = need.number + 1
            if following >= len(alternatives(job.dataset, need.what)) and not instructions(job.dataset, need.what):
                raise
            tell_failure(job, need.what, error, need.number)
            failed, need = need, choose(job, need.what, following)
            _agree_on_other(job, failed, need)
    if not need.by_hand:
        _tidy(job, tried)
    return need


def _agree_on_other(job: Job, failed: Need, need: Need) -> None:
    """Tell what is tried instead, and ask again where it is larger than what was agreed to, or may be."""
    parts = [part for part in need.parts if part.identity not in job.obtained]
    if not parts:
        return
    check_space(job, parts)
    agreed, size = total_size(failed.parts), total_size(parts)
    asks = not job.yes and (agreed is None or size is None or size > agreed)
    for part in parts:
        for line in show_part(need, part):
            print(visible(line), file=sys.stderr) if asks else say(line)
    if asks:
        before = "a size that was not known" if agreed is None else show_bytes(agreed)
        _ask(job, f"You agreed to {before}. {_question(parts)}", "Nothing more was downloaded.")


def _get_twice(job: Job, part: Part) -> None:
    """`_get_part`, once more where what arrived is not what it should be."""
    try:
        _get_part(job, part)
    except (ChecksumError, DamagedError) as error:
        say(f"{error.what} It is downloaded once more.")
        beside(job.place_of(part), ".bad").unlink(missing_ok=True)
        _get_part(job, part)


def _get_part(job: Job, part: Part) -> None:
    """Download one file, put it or its content in place, and record it."""
    path = job.place_of(part)
    if isinstance(part.item, Download):
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
        wanted = _is_split_file(job.dataset.reader.file) if part.alone else None
        try:
            names = unpack(
                path,
                part.target,
                job.downloads,
                inner=inner,
                inside=inside,
                wanted=wanted,
                ceiling=ceiling_of(size, images=job.dataset.images, megabytes=job.dataset.size_mb),
            )
        except DamagedError as error:
            discard(path)
            raise DamagedError(error.what, where=error.where, todo="It was removed: run the command again.") from error
    else:
        part.target.mkdir(parents=True, exist_ok=True)
        sync_disk()
        put(path, part.target / path.name)
        names = [path.name]
    sync_disk()  # the record vouches for the files, so they must be on the disk before it
    job.received.add(
        part.what, part.recorded, part.files, part.name, size, checksum, [part.target / name for name in names]
    )
    if not (unpacks and job.keep_archives):
        discard(path)


def _is_split_file(name: str) -> Callable[[PurePosixPath], bool]:
    """Tells the split file of an archive by its name, or by its ending where the name is not known."""
    return lambda path: path.name == name if name else path.suffix in SPLIT_ENDINGS


def _tidy(job: Job, parts: list[Part]) -> None:
    """Remove what downloads left behind, failed ones too, now that another has served."""
    for part in () if job.keep_archives else parts:
        if isinstance(part.item, Download):
            discard(job.place_of(part))
            beside(job.place_of(part), ".bad").unlink(missing_ok=True)
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
