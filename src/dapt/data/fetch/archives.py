"""Unpacking archives from the web: looked through before anything is written, put in place when complete."""

from __future__ import annotations

import errno
import gzip
import lzma
import re
import shutil
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from dapt.console import progress, say
from dapt.data.fetch.archive_files import Ceiling, ExcessError, Member, ceiling_of, open_archive
from dapt.data.fetch.download import SourceError, free_space, show_bytes
from dapt.errors import DataError
from dapt.files import sync_disk, whole_file
from dapt.limits import ARCHIVE_DEPTH

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
PREFIX = "unpacking-"  # of the temporary folders; one that is left over comes from a process that was killed
_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, gzip.BadGzipFile),
    *(EOFError, ValueError, struct.error, NotImplementedError),  # zip: an unknown compression
)
_NO_DATA = "__MACOSX"  # folder that macOS adds to its zip archives; its files look like images and are none

Choose = Callable[[PurePosixPath], PurePosixPath | None]  # where a path of an archive goes; None: left out
Wanted = Callable[[PurePosixPath], bool]


class DamagedError(DataError):
    """An archive that cannot be read to its end."""


def is_archive(name: str) -> bool:
    """Whether a file name has one of `ENDINGS`."""
    return name.lower().endswith(ENDINGS)


def unpack(
    archive: Path,
    target: Path,
    work: Path,
    *,
    inner: str = "",
    inside: str = "",
    wanted: Wanted | None = None,
    ceiling: Ceiling | None = None,
) -> list[str]:
    """Unpack into `target`, merged with what is there; files of the same name are replaced whole.

    The archive is looked through before anything is written. It is unpacked into a new folder under `work` and put in
    place from there, so that an interruption leaves no file half written.

    Args:
        archive: zip or tar, the latter also with gzip, bzip2 or xz. target, work: folders, on one disk if possible.
        inner: regular expression; only the archives within the archive whose path it is found in are unpacked.
        inside: only the content of this folder of the archive (of the inner ones, if any) is unpacked.
        wanted: of that, only files whose path it says yes to are unpacked.
        ceiling: what may come out of it; None: what an archive of its size may. The archives within share one.

    Returns:
        The names now in `target` that come from the archive; with `wanted` the paths of the files.

    Raises:
        DamagedError: it cannot be read to its end. SourceError: it does not hold what is asked for.
        DataError: it is locked, too large for the disk, or dangerous: paths or links that lead outside, device files,
            two entries of one name, more than the ceiling allows. Then nothing was written to `target`.
    """
    say(f"unpacking {archive.name}")
    ceiling = ceiling or ceiling_of(archive.stat().st_size if archive.is_file() else 0)
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=work, ignore_cleanup_errors=True) as folder:
        content = Path(folder) / "content"
        content.mkdir()
        if inner:
            outer = Path(folder) / "outer"
            _extract(archive, outer, lambda path: path if re.search(inner, str(path)) else None, replace(ceiling))
            nested = sorted(path for path in outer.rglob("*") if path.is_file())
            if not nested:
                raise SourceError(f"{archive.name} holds no archive that matches '{inner}'.", where=str(archive))
            for each in nested:
                _extract(each, content, _chosen(inside, wanted), ceiling, f"{each.name} in {archive}")
        else:
            _extract(archive, content, _chosen(inside, wanted), ceiling)
        if wanted:
            names = sorted(path.relative_to(content).as_posix() for path in content.rglob("*") if path.is_file())
        else:
            names = sorted(path.name for path in content.iterdir())
        if not names:
            missing = (
                "none of the files that are needed" if wanted else f"no folder '{inside}'" if inside else "no file"
            )
            raise SourceError(f"{archive.name} holds {missing}.", where=str(archive))
        _check_places(content, target)
        sync_disk()  # else a name could reach the disk before its content
        try:
            target.mkdir(parents=True, exist_ok=True)
            _merge(content, target)
        except OSError as error:
            raise _write_error(archive.name, error, target) from error
    return names


def _chosen(inside: str, wanted: Wanted | None) -> Choose:
    """Maps wanted paths below the folder `inside` to paths relative to it, other paths to None."""
    top = PurePosixPath(inside)

    def choose(path: PurePosixPath) -> PurePosixPath | None:
        if path == top or not path.is_relative_to(top) or (wanted and not wanted(path)):
            return None
        return path.relative_to(top)

    return choose


def _extract(archive: Path, folder: Path, choose: Choose, ceiling: Ceiling, label: str = "") -> None:
    """Check all of an archive and write what `choose` gives a path to into `folder`; the ceiling is lowered by it."""
    label = label or str(archive)
    place = folder
    try:
        with open_archive(archive, ceiling) as opened:
            members = opened.members()
            folder.mkdir(parents=True, exist_ok=True)
            files = _check(members, label, folder)
            wanted = [(member, path) for member in files.values() if (path := choose(member.path)) is not None]
            need = sum(_source(member, files).size for member, _ in wanted)
            ceiling.check(len(members), need)
            ceiling.members -= len(members)
            ceiling.size -= need
            if need > (free := free_space(folder)):
                raise DataError(
                    f"{archive.name} unpacks to {show_bytes(need)}, the disk has {show_bytes(free)} left.",
                    where=str(folder),
                    todo="Free some space, or choose another disk with --root.",
                )
            for member, path in progress(wanted, len(wanted), archive.name, unit="files"):
                place = folder / path
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as written:
                    opened.copy(_source(member, files), written)
    except ExcessError as error:
        raise _refusal(label, str(error)) from error
    except _DAMAGE as error:
        raise _damage(archive.name, label, error) from error
    except OSError as error:
        if error.errno is None:  # the decompressors' own
            raise _damage(archive.name, label, error) from error
        raise _write_error(archive.name, error, place) from error


def _check(members: list[Member], label: str, folder: Path) -> dict[PurePosixPath, Member]:
    """The files and links by path.

    Raises:
        DataError: an entry is dangerous or ambiguous.
    """
    files: dict[PurePosixPath, Member] = {}
    keys: dict[str, Member] = {}
    same = str.casefold if _ignores_case(folder) else str
    for member in members:
        if _leads_outside(member.name) or (member.kind == "link" and _leads_outside(member.target)):
            to = f" -> '{member.target}'" if member.kind == "link" else ""
            raise _refusal(label, f"its entry '{member.name}'{to} leads outside the folder")
        if member.kind == "other":
            raise _refusal(label, f"its entry '{member.name}' is a device or pipe")
        if len(member.path.parts) > ARCHIVE_DEPTH:
            raise _refusal(label, f"its entry '{member.name[:60]}...' lies more than {ARCHIVE_DEPTH} folders deep")
        if member.kind == "folder" or member.path.parts[:1] == (_NO_DATA,):
            continue
        if not member.path.parts:
            raise _refusal(label, "one of its files has no name")
        other = keys.setdefault(same(str(member.path)), member)
        if other is not member:
            raise _refusal(label, f"its entries '{other.name}' and '{member.name}' are one file here")
        files[member.path] = member
    for member in files.values():
        for above in member.path.parents:
            if same(str(above)) in keys:
                raise _refusal(label, f"its entry '{above}' is a file and a folder")
        if _source(member, files).kind != "file":
            raise _refusal(label, f"its link '{member.name}' does not lead to a file of the archive")
    return files


def _source(member: Member, files: dict[PurePosixPath, Member]) -> Member:
    """Where the content is: links are written as copies of the file they lead to. A dead link is its own source."""
    return files.get(PurePosixPath(member.target), member) if member.kind == "link" else member


def _leads_outside(name: str) -> bool:
    path = name.replace("\\", "/")
    return path.startswith("/") or re.match("[A-Za-z]:", path) is not None or ".." in path.split("/") or "\0" in path


def _ignores_case(folder: Path) -> bool:
    """Whether names that differ by case only are one file there."""
    return folder.with_name(folder.name.upper()).exists()


def _check_places(content: Path, target: Path) -> None:
    """Refuse before anything is moved where a file would have to become a folder or the reverse."""
    if target.exists() and not target.is_dir():
        raise DataError(f"{target} is a file, a folder is needed there.", todo="Move it away, then run again.")
    for path in content.iterdir():
        place = target / path.name
        if place.exists() and path.is_dir() != place.is_dir():
            kinds = ("folder", "file") if path.is_dir() else ("file", "folder")
            raise DataError(
                f"The archive holds a {kinds[0]} where a {kinds[1]} is already.",
                where=str(place),
                todo="Move it away, then run again.",
            )
        if path.is_dir() and place.is_dir():
            _check_places(path, place)


def _merge(content: Path, target: Path) -> None:
    for path in sorted(content.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _merge(path, place)
        else:
            put(path, place)


def put(path: Path, place: Path) -> None:
    """Move a file, or a folder to a place where there is none; also to another disk, then file by file.

    Raises:
        OSError: it cannot be moved.
    """
    try:
        path.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if path.is_dir():
            place.mkdir()
            _merge(path, place)
        else:
            with whole_file(place) as temporary:
                shutil.copyfile(path, temporary)
            path.unlink()


def _refusal(label: str, reason: str) -> DataError:
    return DataError(
        f"The archive is refused: {reason}.",
        where=label,
        todo="Nothing was unpacked. Make sure that it comes from where it should, and unpack it by hand if it does.",
    )


def _damage(name: str, label: str, error: Exception) -> DamagedError:
    return DamagedError(
        f"{name} is damaged, or is no archive: {str(error) or type(error).__name__}.",
        where=label,
        todo="Delete it and download it again.",
    )


def _write_error(name: str, error: OSError, place: Path) -> DataError:
    """What to say when an archive could not be unpacked; `place` is where, unless the error tells."""
    return DataError(
        f"{name} could not be unpacked: {error.strerror or error}.",
        where=str(error.filename or place),
        todo="Free some space, or choose another disk with --root, then run again.",
    )
