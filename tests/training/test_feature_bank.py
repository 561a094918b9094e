"""Features on disk: what their names depend on, and what happens to files that cannot be used."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from dapt.training.feature_bank import ABOUT, FeatureBank, fits_half, rounded

MADE_WITH = {"backbone": "b", "precision": "32"}


def bank(folder: Path, **changes: str) -> FeatureBank:
    return FeatureBank(folder, {**MADE_WITH, **changes})


def test_a_name_for_everything_that_decides_the_rows(tmp_path: Path) -> None:
    one = bank(tmp_path)
    names = {
        one.key(["x", "y"], {"number": 0}),
        one.key(["y", "x"], {"number": 0}),
        one.key(["x"], {"number": 0}),
        one.key(["x", "y"], {"number": 1}),
        bank(tmp_path, precision="16").key(["x", "y"], {"number": 0}),
    }
    assert len(names) == 5
    assert one.key(["x", "y"], {"a": 1, "number": 0}) == bank(tmp_path).key(["x", "y"], {"number": 0, "a": 1})


def test_rows_come_back_as_they_are_used(tmp_path: Path) -> None:
    one = bank(tmp_path)
    features = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    usable = torch.tensor([True, False, True, True, False])
    one.save("ab" + 30 * "0", {"full": rounded(features), "usable": usable}, {"number": 3})
    found = bank(tmp_path).load("ab" + 30 * "0", 5)
    assert torch.equal(found["full"], rounded(features))
    assert found["full"].dtype == torch.float32
    assert torch.allclose(found["full"], features, rtol=1e-3)
    assert torch.equal(found["usable"], usable)
    (path,) = tmp_path.rglob("*.safetensors")
    assert path.parent.name == "ab"
    with safe_open(path, framework="pt") as opened:
        assert opened.get_tensor("full").dtype == torch.float16
        assert json.loads(opened.metadata()[ABOUT]) == {**MADE_WITH, "number": 3}
    assert (one.made, one.read) == (1, 0)
    assert one.has("ab" + 30 * "0")
    assert not one.has("ac" + 30 * "0")


def test_numbers_beyond_half_precision_are_kept_as_they_are(tmp_path: Path) -> None:
    one, features = bank(tmp_path), torch.tensor([[1e6, 1.00001]])
    assert not fits_half(features)
    one.save(32 * "0", {"full": rounded(features)}, {})
    assert torch.equal(one.load(32 * "0", 1)["full"], features)


def test_a_damaged_file_is_said_and_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = bank(tmp_path)
    one.save(32 * "1", {"full": torch.ones(2, 3)}, {})
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:20])
    assert one.load(32 * "1", 2) == {}
    assert "is damaged" in capsys.readouterr().err
    assert not one.has(32 * "1"), "who asks before saving replaces it"
    one.save(32 * "1", {"full": torch.ones(2, 3)}, {})
    assert one.has(32 * "1")
    assert torch.equal(one.load(32 * "1", 2)["full"], torch.ones(2, 3))


def test_rows_of_another_number_of_images_are_said_and_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = bank(tmp_path)
    one.save(32 * "1", {"full": torch.ones(2, 3)}, {})
    assert one.load(32 * "1", 3) == {}
    assert "is damaged (rows of another number of images)" in capsys.readouterr().err
    assert not one.has(32 * "1")


@pytest.mark.skipif(os.name == "nt", reason="a file stands where a folder should be")
def test_a_place_that_cannot_be_written_to_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    one = bank(place)
    for key in (32 * "2", 32 * "3"):
        with one.making(key):
            one.save(key, {"full": torch.ones(2, 3)}, {})
    assert capsys.readouterr().err.count("Features are not kept") == 1
    assert one.made == 0


def make_all(folder: Path, start: object, keys: list[str], told: object) -> None:
    """What each of several runs side by side does: read the rows of every name, or make them, which takes a while."""
    one = bank(folder)
    start.wait()  # type: ignore[attr-defined]
    for number, key in enumerate(keys):
        with one.making(key):
            if not one.load(key, 3):
                time.sleep(0.1)
                one.save(key, {"full": torch.full((3, 4), float(number))}, {})
    told.put((one.made, one.read))  # type: ignore[attr-defined]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes are forked")
def test_of_two_processes_one_makes_the_rows_and_the_other_reads_them(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, told = context.Barrier(2), context.Queue()
    keys = [f"{number:x}" * 32 for number in range(6)]
    both = [context.Process(target=make_all, args=(tmp_path, start, keys, told)) for _ in range(2)]
    for each in both:
        each.start()
    found = [told.get(timeout=60) for _ in both]
    for each in both:
        each.join(60)
        assert each.exitcode == 0
    assert sum(made for made, _ in found) == len(keys), "each once"
    assert sum(read for _, read in found) == len(keys), "each by the other one"
    assert not list(tmp_path.rglob("*.part"))
    for number, key in enumerate(keys):
        assert torch.equal(bank(tmp_path).load(key, 3)["full"], torch.full((3, 4), float(number)))


def test_who_waits_says_so_and_a_failure_lets_the_next_one_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    from dapt.training import feature_bank

    monkeypatch.setattr(feature_bank, "POLL_S", 0.01)
    one, key = bank(tmp_path), 32 * "4"
    with pytest.raises(RuntimeError), one.making(key):
        raise RuntimeError
    held = FileLock(str(tmp_path / ".locks" / "44.lock"), thread_local=False)
    held.acquire(timeout=0)
    monkeypatch.setattr(feature_bank, "say", lambda text: (feature_bank.warn(text), held.release()))
    with one.making(key):
        pass
    assert "another process is computing some of these; waiting for it" in capsys.readouterr().err


def test_files_that_cannot_be_locked_are_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dapt.training import feature_bank

    class Without:
        def __init__(self, path: str) -> None:
            pass

        def acquire(self, **how: float) -> None:
            raise NotImplementedError("no locks here")

    monkeypatch.setattr(feature_bank, "FileLock", Without)
    one = bank(tmp_path)
    for key in (32 * "2", 32 * "3"):
        with one.making(key):
            one.save(key, {"full": torch.ones(2, 3)}, {})
    assert capsys.readouterr().err.count("cannot be locked (no locks here)") == 1
    assert one.made == 2
