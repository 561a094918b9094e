"""Files of a repository on the hub: found by pattern, downloaded, verified, and every failure explained."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.hf_api import RepoFile, RepoFolder

from dapt.data.fetch.download import ChecksumError, SourceError
from dapt.data.fetch.hub_files import HubFile, endpoint, find_files, get_file
from dapt.errors import DataError


def entry(path: str, size: int = 3, sha256: str = "") -> RepoFile:
    lfs = {"oid": sha256, "size": size, "pointerSize": 1} if sha256 else None
    return RepoFile(path=path, size=size, oid="0", lfs=lfs)


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch):
    """What the hub lists."""

    def lists(*entries: object, error: Exception | None = None) -> list[dict[str, object]]:
        asked: list[dict[str, object]] = []

        def list_repo_tree(self: object, repo: str, **how: object) -> object:
            asked.append({"repo": repo, **how})
            if error:
                raise error
            return iter(entries)

        monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_tree", list_repo_tree)
        return asked

    return lists


def test_files_by_pattern_in_order(tree) -> None:
    folder = RepoFolder(path="masks.zip", oid="0", tree_id="0")
    asked = tree(entry("b/masks.zip", 7, "abc"), folder, entry("a/masks.zip"), entry("readme.md"))
    found = find_files("o/n", r"masks\.zip$", "model")
    assert found == [HubFile("o/n", "model", "a/masks.zip", 3), HubFile("o/n", "model", "b/masks.zip", 7, "abc")]
    assert asked == [{"repo": "o/n", "recursive": True, "repo_type": "model"}]
    with pytest.raises(SourceError, match=r"None of the 3 files of o/n matches 'nothing'"):
        find_files("o/n", "nothing")


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert endpoint() is None
    assert HubFile("o/n", "dataset", "a/b", 1).address == "https://huggingface.co/datasets/o/n/blob/main/a/b"
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror/")
    assert endpoint() == "http://mirror"
    assert HubFile("o/n", "model", "a/b", 1).address == "http://mirror/o/n/blob/main/a/b"


class GatedRepoError(OSError):
    """Called like the hub's."""


class RepositoryNotFoundError(OSError):
    """Called like the hub's."""


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (GatedRepoError("403"), r"asks for consent to its terms\.[\s\S]*hf auth login"),
        (RepositoryNotFoundError("404"), "There is no repository o/n on the hub, or it is private"),
        (ConnectionError("no route\nmore"), "cannot be had from the hub: no route "),
        (RuntimeError(""), "cannot be had from the hub: RuntimeError"),
    ],
)
def test_failures_are_explained(tree, error: Exception, message: str) -> None:
    tree(error=error)
    with pytest.raises(SourceError, match=message):
        find_files("o/n", "x")


def test_a_full_disk_and_mistakes_of_ours(tree) -> None:
    tree(error=OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(DataError, match="The disk is full") as caught:
        find_files("o/n", "x")
    assert not isinstance(caught.value, SourceError)
    tree(error=KeyError("ours"))
    with pytest.raises(KeyError):
        find_files("o/n", "x")


@pytest.mark.parametrize("announced", ["right", "wrong", ""])
def test_content_is_what_was_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, announced: str) -> None:
    def hf_hub_download(repo: str, path: str, *, local_dir: Path, **how: object) -> str:
        calls.append(SimpleNamespace(repo=repo, path=path, **how))
        target = Path(local_dir) / path
        target.parent.mkdir(parents=True)
        target.write_bytes(b"content")
        return str(target)

    calls: list[SimpleNamespace] = []
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hf_hub_download)
    total = {"right": hashlib.sha256(b"content").hexdigest(), "wrong": "0" * 64, "": ""}[announced]
    file = HubFile("o/n", "dataset", "a/b.zip", 7, total)
    target = tmp_path / "a" / "b.zip"
    if announced == "wrong":
        with pytest.raises(ChecksumError, match="is not what the hub announced"):
            get_file(file, tmp_path)
        assert not target.exists()
    else:
        assert get_file(file, tmp_path, force=True) == target
        assert (calls[0].repo_type, calls[0].force_download) == ("dataset", True)
