"""`dapt data download` on a data set that a server on this machine offers."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from dapt.data.catalog import fetch as fetch_module
from dapt.data.catalog import fetch_plan as plan_module
from dapt.data.catalog.base import CATALOG, Dataset, Download, HubFiles, Layout, Manual, Place, Reader, Request, Source
from dapt.data.catalog.readers.coop_split import SplitFileReader
from dapt.data.fetch import download as download_module
from dapt.data.fetch.download import show_bytes
from dapt.data.items import ImageSet
from helpers import make_folder
from web import Page, Web, serve

NAME = "shapes_on_the_web"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class NoReader(Reader):
    rule = "not divided"

    def read(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        raise AssertionError("a download reads nothing")


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


IMAGES = zipped({"images/disc/1.jpg": b"disc" * 1000, "images/ring/1.jpg": b"ring" * 1000})
MASKS = zipped({"masks/disc/1.png": b"mask"})
SPLIT = b'{"train": [], "val": [], "test": []}'
SIZE = show_bytes(len(IMAGES))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download_module, "PAUSES", (0.0,))
    with serve() as running:
        running.pages = {
            "/images.zip": Page(IMAGES, etag='"i"'),
            "/masks.zip": Page(MASKS),
            "/split": Page(SPLIT, kind="text/plain"),
        }
        yield running


@pytest.fixture
def offer():
    """Put a data set with the given sources into the catalog."""

    def add(*sources: Source) -> None:
        dataset = Dataset(
            name=NAME,
            title="Shapes on the web",
            paper="none",
            homepage="https://shapes.example",
            licence="CC0 1.0",
            size_mb=1,
            classes=2,
            counts={"train": 1, "val": 0, "test": 1},
            layouts=(Layout("coop", "shapes", "images"),),
            reader=NoReader(),
            sources=sources,
        )
        CATALOG.add(NAME, dataset, overwrite=True)

    yield add
    CATALOG._values.pop(NAME, None)


@pytest.fixture
def get(dapt, tmp_path: Path):
    """The command; returns exit code, standard output, standard error."""
    return lambda *arguments: dapt("data", "download", NAME, "--root", tmp_path, *arguments)


def standard(web: Web) -> tuple[Source, ...]:
    sum_of = "sha256:" + hashlib.sha256(IMAGES).hexdigest()
    return (
        Download("images", f"{web.address}/images.zip", checksum=sum_of),
        Download("split", f"{web.address}/split?id=7", name="split.json", unpack=False),
        Download("masks", f"{web.address}/masks.zip", size=len(MASKS)),
    )


def tree(folder: Path) -> set[str]:
    """Files below a folder, but for the record."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {".dapt-download.json"}


ALL_IMAGES = {"images/disc/1.jpg", "images/ring/1.jpg"}


def test_everything_but_masks_by_default_then_masks(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*standard(web))
    code, out, err = get("--yes")
    assert (code, out) == (0, "")
    folder = tmp_path / "shapes"
    for text in (
        "Shapes on the web (https://shapes.example)",
        "licence: CC0 1.0",
        f"images: images.zip, {SIZE}",
        f"from {web.address}/images.zip",
        f"to {folder}",
        "split: split.json, 36 bytes",
        f"in all: {show_bytes(len(IMAGES) + len(SPLIT))} to download",
        "free on the disk",
        f"Shapes on the web is in {folder}.",
    ):
        assert text in err
    assert tree(folder) == {*ALL_IMAGES, "split.json"}
    assert not (folder / ".downloads").exists()
    record = json.loads((folder / ".dapt-download.json").read_text())
    assert {part["name"]: (part["size"], part["checksum"]) for part in record["parts"]} == {
        "images.zip": (len(IMAGES), "sha256:" + hashlib.sha256(IMAGES).hexdigest()),
        "split.json": (len(SPLIT), "sha256:" + hashlib.sha256(SPLIT).hexdigest()),
    }
    web.requests.clear()
    code, _, err = get("--yes", "--masks")
    assert code == 0
    assert "images: there already (--force gets it again)" in err
    assert [path for _, path, _ in web.requests] == ["/masks.zip"]
    assert "masks/disc/1.png" in tree(folder)
    web.requests.clear()
    assert get("--masks")[0] == 0  # nothing to do, nothing to ask
    assert web.requests == []


def test_parts(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*standard(web))
    assert get("--yes", "--only", "split")[0] == 0
    assert tree(tmp_path / "shapes") == {"split.json"}
    assert get("--yes", "--only", "Masks")[0] == 0
    assert tree(tmp_path / "shapes") == {"split.json", "masks/disc/1.png"}
    code, _, err = get("--only", "image")
    assert code == 2
    assert "no part 'image' to download" in err
    assert "Did you mean 'images'" in err
    offer(*standard(web)[:2])
    code, _, err = get("--masks")
    assert code == 2
    assert "no masks of Shapes on the web" in err


@pytest.mark.parametrize("text", [",", "", " , "])
def test_only_nothing(get, web: Web, offer, tmp_path: Path, text: str) -> None:
    offer(*standard(web))
    code, _, err = get("--yes", "--only", text)
    assert code == 2
    assert "--only names no part." in err
    assert web.requests == []


def test_lost_files_come_with_force(dapt, tmp_path: Path) -> None:
    """What is said where something is there but not all of it works in spite of the record of downloads."""
    from catalog_helpers import split_data, variant

    split_data(tmp_path, "food101")
    (tmp_path / "food-101" / "images" / "apple_pie" / "100003.jpg").unlink()
    _, out, _ = dapt("data", "verify", "food101", "--root", tmp_path)
    assert "food101 --only split --force'" in out
    _, _, err = dapt("train", "food101", "--root", tmp_path, "--model", "demo", "--out", tmp_path / "run")
    assert "Run 'dapt data download food101 --only images --force'" in err
    variant(tmp_path, "imagenet_r")
    folder = next((tmp_path / "imagenet-rendition" / "imagenet-r").glob("n*"))
    shutil.rmtree(folder)
    _, out, _ = dapt("data", "verify", "imagenet_r", "--root", tmp_path)
    assert "Run 'dapt data download imagenet_r --only images --force'" in out


def test_dry_run_shows_the_plan_only(get, web: Web, offer, tmp_path: Path) -> None:
    web.pages["/split"].chunked = True
    offer(*standard(web), Manual("annotations", "Ask the authors."))
    code, out, _ = get("--dry-run", "--masks", "--quiet")
    assert code == 0
    for text in (
        "split.json, size not known",
        f"in all: {show_bytes(len(IMAGES) + len(MASKS))} and 1 file of unknown size",
        "Ask the authors.",
    ):
        assert text in out
    assert list(tmp_path.iterdir()) == []
    assert all(method == "HEAD" for method, _, _ in web.requests)


def test_without_a_terminal_consent_has_to_be_passed(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*standard(web))
    code, _, err = get()
    assert code == 2
    assert "licence: CC0 1.0" in err
    assert "Pass --yes" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", ["y", "n"])
def test_the_question(get, web: Web, offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    offer(*standard(web))
    monkeypatch.setattr(fetch_module, "_has_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
    code, out, err = get("--quiet")
    assert f"images: images.zip, {SIZE}" in err  # shown in spite of --quiet, since it is what is asked about
    assert "Download 2 files?" in out + err
    if answer == "y":
        assert code == 0
        assert tree(tmp_path / "shapes") == {*ALL_IMAGES, "split.json"}
    else:
        assert code == 2
        assert "Nothing was downloaded" in err
        assert list(tmp_path.iterdir()) == []


def test_what_was_deleted_or_forced_is_downloaded_again(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*standard(web))
    assert get("--yes")[0] == 0
    folder = tmp_path / "shapes"
    (folder / "split.json").unlink()
    web.requests.clear()
    assert get("--yes")[0] == 0
    assert (folder / "split.json").read_bytes() == SPLIT
    assert len(web.asked("/split")) == 1
    assert web.asked("/images.zip") == []
    (folder / "images" / "disc" / "1.jpg").write_bytes(b"damaged")
    assert get("--yes", "--force")[0] == 0
    assert (folder / "images" / "disc" / "1.jpg").read_bytes() == b"disc" * 1000
    (folder / ".dapt-download.json").write_text("{")
    code, _, err = get("--yes", "--only", "split")
    assert code == 0
    assert "cannot be read; what was downloaded before is downloaded again" in err


def test_archives_are_kept_on_request(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*standard(web))
    assert get("--yes", "--keep-archives")[0] == 0
    assert (tmp_path / "shapes" / ".downloads" / "images.zip").read_bytes() == IMAGES
    web.requests.clear()
    assert get("--yes")[0] == 0
    assert web.requests == []


def test_interrupted_then_gone_on_with(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*standard(web))
    web.pages["/images.zip"].cuts = [5000, 0]
    code, _, err = get("--yes")
    assert code == 2
    assert "images.zip could not be downloaded: the connection ended after 5000 of" in err
    assert "goes on from there" in err
    assert (tmp_path / "shapes" / ".downloads" / "images.zip.part").stat().st_size == 5000
    web.requests.clear()
    assert get("--yes")[0] == 0
    assert web.asked("/images.zip")[0]["Range"] == "bytes=5000-"
    assert tree(tmp_path / "shapes") == {*ALL_IMAGES, "split.json"}
    assert not (tmp_path / "shapes" / ".downloads").exists()


def test_ctrl_c(get, web: Web, offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(*standard(web))

    def interrupt(file: object, chunk: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(download_module, "_write", interrupt)
        code, _, err = get("--yes")
    assert code == 130
    assert "run the same command again" in err
    assert get("--yes")[0] == 0


def test_without_a_network_the_addresses_are_shown(get, offer, tmp_path: Path) -> None:
    with serve() as web:
        offer(*standard(web)[:2])
    code, out, _ = get("--dry-run")
    assert code == 0
    assert "images: images.zip, size not known" in out
    assert f"from {web.address}/images.zip" in out


@pytest.mark.parametrize("failure", ["404", "page", "broken", "no answer to HEAD"])
def test_the_next_alternative(get, web: Web, offer, tmp_path: Path, failure: str) -> None:
    """Both files of the second alternative are needed, and the first alternative fails."""
    first = {
        "404": Page(status=404),
        "page": Page(b"<!doctype html>Sign in"),
        "broken": Page(IMAGES, cuts=[0, 0]),
        "no answer to HEAD": Page(IMAGES, head=405, cuts=[0, 0]),
    }
    web.pages["/gone.zip"] = first[failure]
    web.pages["/images-2.tgz"] = Page(tarred({"images/bar/1.jpg": b"bar"}))
    offer(
        Download("images", f"{web.address}/gone.zip"),
        Download("images", f"{web.address}/images.zip", alternative=1),
        Download("images", f"{web.address}/images-2.tgz", alternative=1),
    )
    code, _, err = get("--yes")
    assert code == 0
    assert "warning: images: " in err
    assert "The next source is tried." in err
    assert tree(tmp_path / "shapes") == {*ALL_IMAGES, "images/bar/1.jpg"}
    web.requests.clear()
    assert get()[0] == 0
    assert web.requests == []


def test_no_alternative_left(get, web: Web, offer, tmp_path: Path) -> None:
    offer(Download("images", f"{web.address}/a.zip"), Download("images", f"{web.address}/b.zip", alternative=1))
    code, _, err = get("--yes")
    assert code == 2
    assert f"error: There is no file at {web.address}/b.zip" in err
    assert "a.zip" in err


def test_wrong_checksum(get, web: Web, offer, tmp_path: Path) -> None:
    offer(Download("images", f"{web.address}/images.zip", checksum="md5:" + "0" * 32))
    code, _, err = get("--yes")
    assert code == 2
    assert hashlib.sha256(IMAGES).hexdigest() not in err
    assert hashlib.md5(IMAGES).hexdigest() in err
    assert "It is downloaded once more." in err
    assert len(web.asked("/images.zip")) == 2
    assert (tmp_path / "shapes" / ".downloads" / "images.zip.bad").exists()
    assert not (tmp_path / "shapes" / ".dapt-download.json").exists()


def test_content_that_was_damaged_once(get, web: Web, offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second download brings what was expected."""
    offer(*standard(web)[:2])
    expected, sums = fetch_module.download, []

    def once(url: str, path: Path, *, checksum: str = "") -> Path:
        sums.append(checksum)
        return expected(url, path, checksum="sha256:" + "0" * 64 if len(sums) == 1 else checksum)

    monkeypatch.setattr(fetch_module, "download", once)
    code, _, err = get("--yes")
    assert code == 0, err
    assert tree(tmp_path / "shapes") == {*ALL_IMAGES, "split.json"}
    assert not (tmp_path / "shapes" / ".downloads").exists()


@pytest.mark.parametrize("wrong", ["sum", "archive"])
def test_wrong_content_twice_and_the_next_source(get, web: Web, offer, tmp_path: Path, wrong: str) -> None:
    web.pages["/wrong.zip"] = Page(IMAGES if wrong == "sum" else IMAGES[:-100])
    offer(
        Download("images", f"{web.address}/wrong.zip", checksum="md5:" + "0" * 32 if wrong == "sum" else ""),
        Download("images", f"{web.address}/images.zip", alternative=1),
    )
    code, _, err = get("--yes")
    assert code == 0, err
    assert len(web.asked("/wrong.zip")) == 2
    assert ("its checksum is" if wrong == "sum" else "is damaged") in err
    assert "The next source is tried." in err
    assert tree(tmp_path / "shapes") == ALL_IMAGES
    assert not (tmp_path / "shapes" / ".downloads").exists()


BIG = zipped(
    {"shapes/images/disc/1.jpg": b"other" * 10**6, "shapes/split.json": SPLIT, "__MACOSX/shapes/split.json": b"x"}
)
QUOTA = Page(b"<!doctype html>Quota exceeded", kind="text/html")


def split_with_fallback(web: Web) -> tuple[Source, ...]:
    """The split file, for which a whole archive stands in, and the user's own images."""
    web.pages["/big.zip"] = Page(BIG)
    web.pages["/split"] = QUOTA
    small = Download("split", f"{web.address}/split", name="split.json", unpack=False, size=len(SPLIT))
    return small, Download("split", f"{web.address}/big.zip", to="..", alternative=1)


@pytest.mark.parametrize("answers", ["y\nn\n", "y\ny\n", "yes"])
def test_a_larger_source_is_asked_about(
    get, web: Web, offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: str
) -> None:
    offer(*split_with_fallback(web))
    mine = tmp_path / "shapes" / "images" / "disc" / "1.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    monkeypatch.setattr(fetch_module, "_has_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    code, out, err = get("--only", "split", *(["--yes"] if answers == "yes" else []))
    said = out + err
    assert f"split: big.zip, {show_bytes(len(BIG))}" in said
    assert said.index("split.json, 36 bytes") < said.index("The next source is tried.") < said.index("big.zip")
    assert mine.read_bytes() == b"mine"
    if answers != "yes":
        assert "You agreed to 36 bytes. Download 1 file?" in said
    if answers == "y\nn\n":
        assert code == 2
        assert "Nothing more was downloaded." in err
        assert web.asked("/big.zip") == []
        assert not (tmp_path / "shapes" / "split.json").exists()
    else:
        assert code == 0, err
        assert tree(tmp_path / "shapes") == {"images/disc/1.jpg", "split.json"}
        assert (tmp_path / "shapes" / "split.json").read_bytes() == SPLIT


@pytest.mark.parametrize(("chunked", "asks"), [(False, False), (True, True)])
def test_a_smaller_source_is_not_asked_about_one_of_unknown_size_is(
    get, web: Web, offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunked: bool, asks: bool
) -> None:
    web.pages["/big.zip"] = QUOTA
    web.pages["/images.zip"].chunked = chunked
    offer(
        Download("images", f"{web.address}/big.zip", size=10**6),
        Download("images", f"{web.address}/images.zip", alternative=1),
    )
    monkeypatch.setattr(fetch_module, "_has_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\ny\n"))
    code, out, err = get()
    assert code == 0, err
    assert ("You agreed to 1.0 MB." in out + err) == asks
    assert tree(tmp_path / "shapes") == ALL_IMAGES


def test_the_split_file_of_an_archive_is_not_the_archive(get, web: Web, offer, tmp_path: Path) -> None:
    """What came of it for the split is no reason to think that the images are there."""
    split = split_with_fallback(web)
    offer(*split, replace(split[1], what="images", alternative=0))
    assert get("--yes", "--only", "split")[0] == 0
    assert tree(tmp_path / "shapes") == {"split.json"}
    code, _, err = get("--yes")
    assert code == 0, err
    assert "split: there already" in err
    assert tree(tmp_path / "shapes") == {"split.json", "images/disc/1.jpg"}
    (tmp_path / "shapes" / "split.json").unlink()
    code, _, err = get("--yes", "--only", "split", "--force")
    assert code == 0, err
    assert tree(tmp_path / "shapes") == {"split.json", "images/disc/1.jpg"}


def test_an_archive_without_a_split_file(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*split_with_fallback(web))
    web.pages["/big.zip"] = Page(IMAGES)
    code, _, err = get("--yes")
    assert code == 2
    assert "big.zip holds none of the files that are needed" in err
    assert tree(tmp_path / "shapes").isdisjoint(ALL_IMAGES)


def test_a_damaged_archive_is_not_kept(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*standard(web)[1:], Download("images", f"{web.address}/broken.zip"))
    web.pages["/broken.zip"] = Page(IMAGES[:-100])
    code, _, err = get("--yes")
    assert code == 2
    assert "broken.zip is damaged" in err
    assert len(web.asked("/broken.zip")) == 2
    assert tree(tmp_path / "shapes") == {".downloads/lock"}
    web.pages["/broken.zip"] = Page(IMAGES)
    assert get("--yes")[0] == 0
    assert tree(tmp_path / "shapes") == {*ALL_IMAGES, "split.json"}


def test_dangerous_archive(get, web: Web, offer, tmp_path: Path) -> None:
    offer(Download("images", f"{web.address}/evil.zip"))
    web.pages["/evil.zip"] = Page(zipped({"images/1.jpg": b"", "../../evil.txt": b"evil"}))
    code, _, err = get("--yes")
    assert code == 2
    assert "'../../evil.txt' leads outside the folder" in err
    assert list(tmp_path.rglob("evil.txt")) == []
    assert not (tmp_path / "shapes" / "images").exists()


def test_archive_within_an_archive(get, web: Web, offer, tmp_path: Path) -> None:
    inner = tarred({"101/cat/1.jpg": b"cat"})
    web.pages["/outer.zip"] = Page(zipped({"set/pictures.tar.gz": inner, "set/readme": b"x"}))
    offer(Download("images", f"{web.address}/outer.zip", to="images", inner=r"\.tar\.gz$", inside="101"))
    assert get("--yes")[0] == 0
    assert tree(tmp_path / "shapes") == {"images/cat/1.jpg"}


def test_two_folders_of_one_archive(get, web: Web, offer, tmp_path: Path) -> None:
    offer(
        Download("images", f"{web.address}/images.zip", to="images", inside="images/disc"),
        Download("annotations", f"{web.address}/images.zip", to="notes", inside="images/ring"),
    )
    assert get("--yes")[0] == 0
    assert tree(tmp_path / "shapes") == {"images/1.jpg", "notes/1.jpg"}


def test_by_hand(get, web: Web, offer, tmp_path: Path) -> None:
    offer(Manual("images", "Register at shapes.example and unpack all of it into images/."), standard(web)[1])
    code, _, err = get("--yes")
    assert code == 2
    assert err.splitlines()[-2:] == [
        f"error: The images of Shapes on the web cannot be downloaded here, they are fetched by hand. "
        f"(folder: {tmp_path / 'shapes'})",
        "Register at shapes.example and unpack all of it into images/.",
    ]
    assert tree(tmp_path / "shapes") == {"split.json"}
    (tmp_path / "shapes" / "images" / "disc").mkdir(parents=True)
    code, _, err = get("--yes")
    assert code == 0
    assert "put there by hand, not checked" in err


def test_by_hand_after_all(get, web: Web, offer) -> None:
    """Instructions come into play where downloads fail, before or after the plan is made."""
    for page in (Page(status=404), Page(b"<html>", kind="text/html")):
        web.pages["/gone.zip"] = page
        offer(Download("images", f"{web.address}/gone.zip"), Manual("images", "Write to the authors."))
        code, _, err = get("--yes")
        assert code == 2
        assert "gone.zip" in err
        assert err.splitlines()[-1] == "Write to the authors."


def test_other_parts_by_hand_are_only_told(get, web: Web, offer, tmp_path: Path) -> None:
    offer(*standard(web)[:2], Manual("annotations", "Ask the authors."))
    code, _, err = get("--yes")
    assert code == 0
    assert "warning: annotations: to be fetched by hand. Ask the authors." in err
    code, _, err = get("--only", "annotations")
    assert code == 2
    assert "Ask the authors." in err


def test_too_little_space(get, web: Web, offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(*standard(web))
    monkeypatch.setattr(plan_module, "free_space", lambda folder: 10_000)
    code, _, err = get("--yes")
    assert code == 2
    assert f"At least {show_bytes(2 * len(IMAGES) + len(SPLIT))} are needed" in err
    assert "the disk has 10.0 kB left" in err
    assert list(tmp_path.iterdir()) == []
    assert get("--yes", "--only", "split")[0] == 0


def test_two_at_once(get, web: Web, offer, tmp_path: Path) -> None:
    from filelock import FileLock

    offer(*standard(web))
    (tmp_path / "shapes" / ".downloads").mkdir(parents=True)
    with FileLock(tmp_path / "shapes" / ".downloads" / "lock"):
        code, _, err = get("--yes")
    assert code == 2
    assert "Another process downloads Shapes on the web" in err
    left_over = tmp_path / "shapes" / ".downloads" / "unpacking-abc"
    left_over.mkdir()
    assert get("--yes")[0] == 0
    assert not left_over.exists()


def test_no_such_data_set(dapt) -> None:
    code, _, err = dapt("data", "download", "no_such_shapes")
    assert code == 2
    assert "There is no data set 'no_such_shapes'" in err


def test_help(dapt) -> None:
    code, out, _ = dapt("data", "download", "--help")
    assert code == 0
    for text in ("--dry-run", "--keep-archives", "--masks", "dapt data download oxford_pets"):
        assert text in out


@pytest.fixture
def hub(web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """A hub with one data set repository, as far as listing and downloading need it."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_ENDPOINT", web.address)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    files = {"Shapes/images.zip": IMAGES, "Shapes/split.json": SPLIT, "Other/images.zip": b"another data set"}
    entries: list[dict[str, object]] = [{"type": "directory", "path": "Shapes", "oid": "0" * 40, "size": 0}]
    for path, content in files.items():
        entry: dict[str, object] = {"type": "file", "path": path, "oid": "0" * 40, "size": len(content)}
        etag = hashlib.sha1(content).hexdigest()
        if path.endswith(".zip"):
            etag = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": etag, "size": len(content), "pointerSize": 134}
        entries.append(entry)
        headers = {"X-Repo-Commit": COMMIT}
        web.pages[f"/datasets/o/shapes/resolve/main/{path}"] = Page(content, etag=f'"{etag}"', headers=headers)
    listing = json.dumps(entries).encode()
    web.pages["/api/datasets/o/shapes/tree/main"] = Page(listing, kind="application/json")
    return web


def test_hub_files(get, hub: Web, offer, tmp_path: Path) -> None:
    offer(HubFiles("images", "o/shapes", r"^Shapes/.*\.(zip|json)$", to="shapes"))
    code, _, err = get("--yes")
    assert code == 0, err
    assert f"images: Shapes/images.zip, {SIZE}" in err
    assert f"from {hub.address}/datasets/o/shapes/blob/main/Shapes/images.zip" in err
    assert tree(tmp_path / "shapes") == {*ALL_IMAGES, "split.json"}
    assert not (tmp_path / "shapes" / ".downloads").exists()
    hub.requests.clear()
    assert get()[0] == 0
    assert hub.requests == []


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_one_archive_that_serves_several_needs(get, hub: Web, offer, tmp_path: Path, force: tuple[str, ...]) -> None:
    """It is downloaded once; where it fails, each need goes on to its own next source."""
    archive = HubFiles("images", "o/shapes", "^Shapes/images", to="shapes", repo_type="dataset")
    offer(
        archive,
        Download("images", f"{hub.address}/images.zip", alternative=1),
        replace(archive, what="split"),
        Download("split", f"{hub.address}/split", name="split.json", unpack=False, alternative=1),
    )
    path = "/datasets/o/shapes/resolve/main/Shapes/images.zip"
    hub.pages[path].status = 403
    code, out, _ = get("--dry-run")
    assert code == 0
    assert "split: comes with Shapes/images.zip" in out
    assert f"in all: {SIZE} to download" in out
    code, _, err = get("--yes")
    assert code == 0
    assert err.count("The next source is tried") == 2
    assert tree(tmp_path / "shapes") == {*ALL_IMAGES, "split.json"}
    assert not (tmp_path / "shapes" / ".downloads").exists()
    hub.pages[path].status = 200
    (tmp_path / "shapes" / "split.json").unlink()
    hub.requests.clear()
    if not force:
        (tmp_path / "shapes" / ".dapt-download.json").unlink()
    assert get("--yes", *force)[0] == 0
    assert len(hub.asked(path)) == 1
    assert not (tmp_path / "shapes" / "split.json").exists()


def test_hub_files_are_gone_on_with(get, hub: Web, offer, tmp_path: Path) -> None:
    offer(HubFiles("images", "o/shapes", "^Shapes/", to="shapes"))
    refused = hub.pages["/datasets/o/shapes/resolve/main/Shapes/split.json"]
    refused.status = 403
    code, _, err = get("--yes")
    assert code == 2
    assert "Files of o/shapes cannot be had from the hub" in err
    assert "Traceback" not in err
    refused.status = 200
    hub.requests.clear()
    code, _, err = get("--yes", "--keep-archives")
    assert code == 0, err
    assert [path for _, path, _ in hub.requests if path.endswith(".zip")] == []
    assert tree(tmp_path / "shapes") >= {*ALL_IMAGES, "split.json"}


def test_what_has_arrived_from_the_hub_needs_no_space(
    get, hub: Web, offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(HubFiles("images", "o/shapes", "^Shapes/", to="shapes"))
    hub.pages["/datasets/o/shapes/resolve/main/Shapes/split.json"].status = 403
    with monkeypatch.context() as patch:
        patch.setattr(fetch_module, "unpack", interrupted)
        assert get("--yes", "--keep-archives")[0] == 130
    kept = tmp_path / "shapes" / ".downloads" / "hub-images" / "Shapes" / "images.zip"
    assert kept.stat().st_size == len(IMAGES)
    hub.pages["/datasets/o/shapes/resolve/main/Shapes/split.json"].status = 200
    room = len(IMAGES) + len(SPLIT)
    for free, expected in ((room - 1, 2), (room, 0)):
        monkeypatch.setattr(plan_module, "free_space", lambda folder, free=free: free)
        assert get("--yes")[0] == expected


def interrupted(*arguments: object, **named: object) -> list[str]:
    raise KeyboardInterrupt


def test_hub_content_is_verified(get, hub: Web, offer, tmp_path: Path) -> None:
    offer(HubFiles("images", "o/shapes", "^Shapes/images", to="shapes"))
    page = hub.pages["/datasets/o/shapes/resolve/main/Shapes/images.zip"]
    page.content = bytes(len(IMAGES))
    code, _, err = get("--yes")
    assert code == 2
    assert "Shapes/images.zip is not what the hub announced" in err
    assert tree(tmp_path / "shapes").isdisjoint(ALL_IMAGES)
    page.content = IMAGES
    assert get("--yes")[0] == 0


def test_hub_mistakes(get, hub: Web, offer, tmp_path: Path) -> None:
    offer(HubFiles("images", "o/shapes", "^Triangles/"))
    code, _, err = get("--yes")
    assert code == 2
    assert "None of the 3 files of o/shapes matches '^Triangles/'" in err
    hub.pages["/api/datasets/o/gone/tree/main"] = Page(
        b"{}", status=404, headers={"X-Error-Code": "RepoNotFound"}, kind="application/json"
    )
    offer(HubFiles("images", "o/gone", "x"), Download("images", f"{hub.address}/images.zip", alternative=1))
    code, _, err = get("--yes")
    assert code == 0
    assert "There is no repository o/gone on the hub" in err
    assert tree(tmp_path / "shapes") == ALL_IMAGES


def test_hub_that_does_not_answer(get, offer, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve() as web:
        monkeypatch.setenv("HF_ENDPOINT", web.address)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # huggingface_hub waits between attempts
    offer(HubFiles("images", "o/shapes", "x"))
    code, _, err = get("--yes")
    assert code == 2
    assert "Files of o/shapes cannot be had from the hub" in err
    assert web.address in err


def test_training_offers_the_download(dapt, web: Web, offer, tiny_spec: str, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos")
    rows = {"train": [], "val": [], "test": []}
    for label, folder in enumerate(sorted(path for path in photos.iterdir() if path.is_dir())):
        for number, path in enumerate(sorted(folder.iterdir())):
            part = "test" if number % 2 else "train"
            rows[part].append([f"{folder.name}/{path.name}", label, folder.name.replace("_", " ")])
    archive = {f"images/{row[0]}": (photos / row[0]).read_bytes() for part in rows.values() for row in part}
    web.pages["/photos.zip"] = Page(zipped(archive))
    web.pages["/split"] = Page(json.dumps(rows).encode(), kind="text/plain")
    offer(
        Download("images", f"{web.address}/photos.zip"),
        Download("split", f"{web.address}/split", name="split.json", unpack=False),
    )
    named = replace(CATALOG.get(NAME), reader=SplitFileReader("split.json"), classes=4)
    CATALOG.add(NAME, named, overwrite=True)
    command = ("train", NAME, "--root", tmp_path / "data", "--model", tiny_spec, "--method", "coop", "--epochs", 1)
    code, _, err = dapt(*command, "--shots", 2, "--out", tmp_path / "run")
    assert code == 2, "nobody can be asked"
    assert f"dapt data download {NAME}" in err
    code, _, err = dapt(*command, "--shots", 2, "--out", tmp_path / "run", "--yes")
    assert code == 0, err
    assert "from " + web.address in err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["data"] == NAME
    assert results["counts"]["train"] == 8
    seen = len(web.requests)
    assert dapt(*command, "--shots", 1, "--out", tmp_path / "again")[0] == 0
    assert len(web.requests) == seen, "it is there now"


@pytest.mark.parametrize("keep", [(), ("--keep-archives",)])
def test_killed_at_the_very_end(get, web: Web, offer, tmp_path: Path, keep: tuple[str, ...]) -> None:
    """All is there and recorded, but an archive was not cleared away yet."""
    offer(*standard(web))
    assert get("--yes", "--keep-archives")[0] == 0
    downloads = tmp_path / "shapes" / ".downloads"
    (downloads / "lock").touch()
    half = downloads / ".images.zip.from.json.0123abcd.part"
    half.write_text("{")
    web.requests.clear()
    code, _, err = get(*keep)
    assert code == 0
    assert "What an interrupted download has left" in err
    assert not half.exists()
    assert not (downloads / "lock").exists()
    assert (downloads / "images.zip").exists() == bool(keep)
    assert downloads.exists() == bool(keep)
    assert web.requests == []
    assert "left" not in get("--yes")[2]
