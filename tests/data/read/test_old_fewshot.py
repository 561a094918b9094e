"""Old pickled few-shot caches: read without running anything, matched to a data set, compared with the rule."""

from __future__ import annotations

import functools
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import dapt.data.read.old_fewshot as old_fewshot
from dapt.data.fewshot import sample_few_shot
from dapt.data.items import ImageSet
from dapt.data.read.old_fewshot import compare_with_rule, match_sample, read_old_fewshot, relative_names
from dapt.data.resolve import load_data
from dapt.errors import DataError
from helpers import make_folder

MODULES = ["dassl.data.datasets.base_dataset", "dassl.data.datasets", "datasets.utils", "datasets.oxford_pets"]


class FakeDatum:
    """Attributes as in Dassl's class."""

    def __init__(self, impath: str, label: int, classname: str) -> None:
        self._impath = impath
        self._label = label
        self._domain = 0
        self._classname = classname


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a cache as the old code did, its Datum in a module of the old name that is gone again afterwards."""

    def write(
        entries: dict[str, list[tuple[str, int, str]]],
        module: str = MODULES[0],
        protocol: int = pickle.HIGHEST_PROTOCOL,
        name: str = "shot_2-seed_1.pkl",
    ) -> Path:
        with monkeypatch.context() as patch:
            for end in range(1, module.count(".") + 2):
                part = ".".join(module.split(".")[:end])
                patch.setitem(sys.modules, part, ModuleType(part))
            kind = type("Datum", (FakeDatum,), {"__module__": module, "__init__": FakeDatum.__init__})
            sys.modules[module].Datum = kind  # type: ignore[attr-defined]
            values = {split: [kind(*entry) for entry in listed] for split, listed in entries.items()}
            content = pickle.dumps(values, protocol)
        assert module.encode() in content
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


ENTRIES = {"train": [("/old/a/1.jpg", 0, "a"), ("/old/b/1.jpg", 1, "b_c")], "val": [("/old/a/2.jpg", 0, "a")]}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("module", MODULES)
def test_caches_of_every_protocol(cache, module: str, protocol: int) -> None:
    loaded = set(sys.modules)
    assert read_old_fewshot(cache(ENTRIES, module, protocol)) == ENTRIES
    assert not {name for name in set(sys.modules) - loaded if name.startswith("dassl")}


def test_training_list_only(cache) -> None:
    assert read_old_fewshot(cache({"train": ENTRIES["train"]})) == {"train": ENTRIES["train"]}


class Calls:
    """Pickled as a call of `function`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


def malicious(canary: Path) -> dict[str, tuple[Any, str]]:
    command = f"touch {canary}"
    program = f"open({str(canary)!r}, 'w').close()"
    return {
        "system": (Calls(os.system, command), f"{os.system.__module__}.system"),
        "eval": (Calls(eval, program), "eval"),
        "exec": (Calls(exec, program), "exec"),
        "partial": (Calls(functools.partial, os.system, command), "functools.partial"),
        "nested": ({"train": [[{"x": [Calls(os.system, command)]}]]}, "system"),
        "in a tuple": ({"train": [[{"x": (Calls(os.system, command),)}]]}, "SETITEM"),
        "getattr": (Calls(getattr, Calls(__import__, "os"), "system"), "getattr"),
        "open": (Calls(open, str(canary), "w"), "open"),
        "path": (canary, "pathlib"),
    }


@pytest.mark.parametrize("kind", sorted(malicious(Path("x"))))
@pytest.mark.parametrize("protocol", range(6))
def test_other_names_are_refused_and_nothing_runs(tmp_path: Path, kind: str, protocol: int) -> None:
    canary = tmp_path / "canary"
    value, name = malicious(canary)[kind]
    path = tmp_path / "shot_1-seed_1.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    with pytest.raises(DataError) as caught:
        read_old_fewshot(path)
    assert name in caught.value.message
    assert "which no few-shot cache needs" in caught.value.message
    assert not canary.exists()


def test_the_malicious_pickles_would_run_elsewhere(tmp_path: Path) -> None:
    """The canary works: `pickle` itself writes it."""
    pickle.loads(pickle.dumps(malicious(tmp_path / "canary")["eval"][0]))
    assert (tmp_path / "canary").exists()


HAND_WRITTEN = {
    "a name below Datum": b"\x80\x04\x8c\x20dassl.data.datasets.base_dataset\x8c\x0eDatum.__init__\x93.",
    "INST": b"(S'touch %s'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'touch %s'\no.",
    "Datum of a stranger": b"cstranger\nDatum\n.",
    "object of a stranger": b"cstranger\nobject\n.",
    "datasets.load": b"cdatasets.load\nload_dataset\n.",
}


@pytest.mark.parametrize("content", HAND_WRITTEN.values(), ids=HAND_WRITTEN)
def test_hand_written_pickles(tmp_path: Path, content: bytes) -> None:
    canary = tmp_path / "canary"
    path = tmp_path / "x.pkl"
    path.write_bytes(content.replace(b"%s", str(canary).encode()))
    with pytest.raises(DataError, match="which no few-shot cache needs"):
        read_old_fewshot(path)
    assert not canary.exists()


DAMAGED = {
    "empty": b"",
    "text": b"image,label\n",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(50),
    "makes something else": b"ccopyreg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.",
    "persistent id": b"Pevil\n.",
    "extension": b"\x82\x01.",
    "endless memo": b"]r\xff\xff\xff\x7f.",
    "endless text memo": b"]p99999999999\n.",
    "claims gigabytes": b"\x80\x04\x8d" + (2**40).to_bytes(8, "little") + b"x.",
    "bytearray of gigabytes": b"\x80\x05\x96" + (2**40).to_bytes(8, "little") + b"x.",
    "unhashable key": b"\x80\x02}(]]u.",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged, or not a pickled few-shot cache") as caught:
        read_old_fewshot(path)
    assert len(caught.value.message.splitlines()) <= 3


def test_truncated_anywhere(cache) -> None:
    path = cache(ENTRIES)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            read_old_fewshot(path)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ([1, 2], "no list of training images"),
        ({"val": []}, "no list of training images"),
        ({"train": [], "val": []}, "its list of training images is empty"),
        ({"train": "abc"}, "'train' is not a list"),
        ({"train": [], "more": []}, "'more' is not a list"),
        ({"train": [["a.jpg", 0, "a"]]}, "train, entry 0 has no path"),
        ({"train": [("a.jpg", 0, "a")]}, "APPEND at byte .* which no few-shot cache needs"),
        ({"train": [], 5: []}, "a key of type int is not a list"),
        ({"train": [], 2**40: []}, "LONG1 at byte .* which no few-shot cache needs"),
        ({"train": [], "x" * 10**6: []}, "'x{40}' is not a list"),
        ({"train": [frozenset([1])]}, "which no few-shot cache needs"),
        ({"train": [{1}]}, "which no few-shot cache needs"),
        ({"train": [1.5]}, "FLOAT at byte .* which no few-shot cache needs"),
    ],
)
def test_other_content(tmp_path: Path, value: object, what: str) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(DataError, match=what):
        read_old_fewshot(path)


def test_wrong_attributes(cache) -> None:
    with pytest.raises(DataError, match="entry 1 has no path, label and class name"):
        read_old_fewshot(cache({"train": [("a.jpg", 0, "a"), ("b.jpg", True, "b")]}))


def test_attributes_of_the_stand_in_are_not_kept(cache, tmp_path: Path) -> None:
    """A pickle can set attributes of the class that stands in; the next file gets a new class."""
    module = MODULES[0].encode()
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(b"c" + module + b"\nDatum\n(NdS'_impath'\nS'x'\nstb.")
    with pytest.raises(DataError):
        read_old_fewshot(evil)
    assert read_old_fewshot(cache(ENTRIES)) == ENTRIES


DATUM = b"c" + MODULES[0].encode() + b"\nDatum\n"
STATE = b"}(S'_impath'\nS'a.jpg'\nS'_label'\nI0\nS'_classname'\nS'a'\nu"
HOSTILE = {
    "nested tuples as a key": b"\x80\x04})" + b"2\x86" * 50 + b"K\x01s.",
    "a tower of tuples": b"\x80\x04})" + b"\x85" * 3_000_000 + b"K\x01s.",
    "a tower of tuples in the memo": b"\x80\x04})" + b"q\x00\x85" * 100_000 + b"K\x01s.",
    "a tower of frozen sets": b"\x80\x04}(" + b"(" * 1000 + b"\x91" * 1000 + b"K\x01s.",
    "a tower of lists": b"\x80\x04}X\x05\x00\x00\x00train" + b"]" * 1_000_000 + b"a" * 999_999 + b"s.",
    "a tower of objects": b"\x80\x04" + DATUM + b"q\x000}X\x05\x00\x00\x00train](" + b"h\x00)\x81" * 200_000
    + b"b" * 199_999 + b"es.",
    "method planted by slots": b"\x80\x02}U\x05train](" + DATUM + b"q\x00)\x81" + STATE + b"b"
    + b"h\x00N}U\x10__getattribute__c__builtin__\nobject\ns\x86bes.",
    "attribute planted on the class": b"\x80\x02}U\x05train](" + DATUM + b"}U\x05statec__builtin__\nobject\nsbes.",
    "state that is no dict": b"\x80\x02}U\x05train](" + DATUM + b")\x81]bes.",
    "no state": b"\x80\x02}U\x05train](" + DATUM + b")\x81es.",
    "numbers that fall on one place of a dict": pickle.dumps({"train": [{n * (2**61 - 1): 0 for n in range(300)}]}, 2),
    "numbers on one place, as text": b"}(" + b"".join(b"L%dL\nN" % (n * (2**61 - 1)) for n in range(2, 300)) + b"u.",
}  # fmt: skip
READ = """
import sys
from dapt.data.read.old_fewshot import read_old_fewshot
from dapt.errors import DataError
try:
    read_old_fewshot(sys.argv[1])
except DataError as error:
    print("refused:", error.message)
"""


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files(tmp_path: Path, content: bytes) -> None:
    """In a process of its own: they would hang it, or kill it."""
    path = tmp_path / "x.pkl"
    path.write_bytes(content)
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-300:]
    assert done.stdout.startswith(f"refused: {path} is ")


def test_huge_and_absent_files(tmp_path: Path) -> None:
    huge = tmp_path / "huge.pkl"
    with huge.open("wb") as file:
        file.truncate(old_fewshot.LIMIT + 2**20)
    with pytest.raises(DataError, match="has 65 MB"):
        read_old_fewshot(huge)
    with pytest.raises(DataError, match="cannot be read"):
        read_old_fewshot(tmp_path / "absent.pkl")


def test_paths_of_another_machine() -> None:
    names = ["cars_train/00001.jpg", "cars_train/00002.jpg", "cars_test/00001.jpg"]
    assert relative_names([f"/home/x/DATA/stanford_cars/{name}" for name in names], names) == names
    assert relative_names([f"D:\\data\\cars\\{name}".replace("/", "\\") for name in names], names) == names
    assert relative_names(names, names) == names
    assert relative_names(["/elsewhere/9.jpg", "/d/cars_test/00001.jpg"], names) == [
        "/elsewhere/9.jpg",
        "cars_test/00001.jpg",
    ]
    assert relative_names(["/elsewhere/9.jpg", ""], names) == ["/elsewhere/9.jpg", ""]
    assert relative_names([], names) == []


def test_paths_below_another_folder() -> None:
    names = [f"caltech-101/101_ObjectCategories/{kind}/image_000{n}.jpg" for kind in ("ant", "bee") for n in (1, 2)]
    paths = [f"/d/caltech/101_ObjectCategories/{kind}/image_000{n}.jpg" for kind in ("ant", "bee") for n in (1, 2)]
    assert relative_names(paths, names) == names


def test_same_file_name_in_a_class_that_is_not_there() -> None:
    """``Faces_easy/5.jpg`` must not become the only ``5.jpg`` of another class."""
    names = ["ant/1.jpg", "ant/2.jpg", "bee/1.jpg", "bee/5.jpg"]
    paths = ["/d/i/ant/1.jpg", "/d/i/ant/2.jpg", "/d/i/bee/1.jpg", "/d/i/Faces_easy/5.jpg"]
    assert relative_names(paths, names) == [*names[:3], "Faces_easy/5.jpg"]


@pytest.fixture
def data(tmp_path: Path) -> ImageSet:
    return load_data(str(make_folder(tmp_path / "photos", per_class=20)))


def drawn(data: ImageSet, shots: int, seed: int) -> dict[str, list[tuple[str, int, str]]]:
    """What the old code would have written."""
    pools = {split: data.split(split) for split in ("train", "val")}
    positions = sample_few_shot(*([item.label for item in pools[split]] for split in pools), shots, seed)
    return {
        split: [
            (f"/old/machine/photos/{item.name}", item.label, data.names[item.label].replace(" ", "_"))
            for item in (pools[split][position] for position in listed)
        ]
        for split, listed in zip(pools, positions, strict=True)
    }


def test_a_list_of_the_rule(data: ImageSet) -> None:
    found = drawn(data, 4, 3)
    sample, missing = match_sample(found, data, "c.pkl")
    assert missing == []
    assert sample.from_test == 0
    assert [item.name for item in sample.splits["train"]] == [
        path.removeprefix("/old/machine/photos/") for path, _, _ in found["train"]
    ]
    split = sample.table(data)
    assert {name: len(items) for name, items in split.items()} == {"train": 16, "val": 16, "test": 24}
    assert split["test"][0] == [data.split("test")[0].name, 0, data.names[0]]
    assert "equals the published rule for 4 shots and seed 3" in compare_with_rule(sample, data, "shot_4-seed_3.pkl")
    other = compare_with_rule(sample, data, "a/shot_4-seed_2.pkl")
    assert "differs from the published rule for 4 shots and seed 2" in other
    count = len({path for path, _, _ in found["train"]} - {path for path, _, _ in drawn(data, 4, 2)["train"]})
    assert count > 0
    assert "of 32 images are others" in other
    assert "was not compared" in compare_with_rule(sample, data, "cache.pkl")


def test_another_order(data: ImageSet) -> None:
    found = drawn(data, 4, 3)
    found["train"].reverse()
    sample, _ = match_sample(found, data, "c.pkl")
    assert "another order" in compare_with_rule(sample, data, "shot_4-seed_3.pkl")


def test_missing_images_and_other_classes(data: ImageSet) -> None:
    found = drawn(data, 2, 1)
    path, label, name = found["train"][0]
    found["train"][0] = ("/old/machine/photos/gone/1.png", label, name)
    sample, missing = match_sample(found, data, "c.pkl")
    assert missing == ["/old/machine/photos/gone/1.png"]
    assert len(sample.splits["train"]) == 7
    for label_given, name_given in ((label + 1, name), (label, "something else")):
        found["train"][0] = (path, label_given, name_given)
        with pytest.raises(DataError, match=r"c\.pkl gives blue_disc/[^\0]*order of classes"):
            match_sample(found, data, "c.pkl")


@pytest.mark.parametrize("split", ["train", "val"])
def test_training_images_from_the_test_split(dapt, cache, data: ImageSet, tmp_path: Path, split: str) -> None:
    item = data.split("test")[0]
    found = drawn(data, 2, 1)
    found[split][0] = (f"/old/machine/photos/{item.name}", item.label, data.names[item.label])
    assert match_sample(found, data, "c.pkl")[0].from_test == 1
    code, _, err = dapt("data", "import-fewshot", cache(found), "--data", data.root, "--out", tmp_path / "s.json")
    assert code == 2
    assert "1 training images of" in err
    assert not (tmp_path / "s.json").exists()


def test_import_on_the_command_line(dapt, cache, data: ImageSet, tmp_path: Path) -> None:
    import json

    path = cache(drawn(data, 2, 1))
    out = tmp_path / "split.json"
    code, said, err = dapt("data", "import-fewshot", path, "--data", data.root, "--out", out)
    assert code == 0, err
    assert "equals the published rule for 2 shots and seed 1" in said
    assert "8 train, 8 val, 24 test images" in err
    split = json.loads(out.read_text())
    assert [len(split[name]) for name in ("train", "val", "test")] == [8, 8, 24]
    assert all((data.root / name).is_file() and data.names[label] == known for name, label, known in split["train"])
    used = load_data(str(data.root), split_file=str(out))
    assert [[item.name, item.label, data.names[item.label]] for item in used.split("train")] == split["train"]
    assert used.split("test") == data.split("test")
    code, _, err = dapt("data", "import-fewshot", path, "--data", data.root, "--out", out)
    assert code == 2
    assert "exists already" in err


def test_import_refused_on_the_command_line(dapt, cache, data: ImageSet, tmp_path: Path) -> None:
    out = tmp_path / "split.json"
    found = drawn(data, 2, 1)
    found["train"][:3] = [
        (f"/old/machine/photos/gone/{n}.png", label, name) for n, (_, label, name) in enumerate(found["train"][:3])
    ]
    code, _, err = dapt("data", "import-fewshot", cache(found), "--data", data.root, "--out", out)
    assert code == 2
    assert "3 of the 16 images" in err
    assert err.count("warning: not in ") == 3
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(pickle.dumps(Calls(os.system, f"touch {tmp_path / 'canary'}")))
    code, _, err = dapt("data", "import-fewshot", evil, "--data", data.root, "--out", out)
    assert code == 2
    assert "system'" in err
    assert "Traceback" not in err
    assert not out.exists()
    assert not (tmp_path / "canary").exists()


def test_millions_of_lists_are_refused(tmp_path: Path) -> None:
    """Of a byte each in the file, and of 64 in memory."""
    path = tmp_path / "x.pkl"
    path.write_bytes(b"\x80\x02" + b"]" * (old_fewshot.PICKLE_OBJECTS + 1) + b".")
    with pytest.raises(DataError, match="more than 1,000,000 lists and objects"):
        read_old_fewshot(path)
