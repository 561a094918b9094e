"""Masks of a user's own function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.config import make_config
from dapt.cues.build import check_cue, cue_type, with_absolute_models
from dapt.errors import ConfigError, DataError
from segmenters import asked, noise

SOURCE = """
import numpy as np
import torch
from PIL import Image

seen = []

def half(photo, name):
    seen.append((photo.shape, str(photo.dtype), name))
    mask = np.zeros(photo.shape[:2], dtype=bool)
    mask[: photo.shape[0] // 2] = True
    return mask

def bytes_(photo, name):
    return half(photo, name).astype(np.uint8) * 255

def picture(photo, name):
    return Image.fromarray(bytes_(photo, name))

def decimals(photo, name):
    return torch.from_numpy(half(photo, name)) * 0.75

def smaller(photo, name):
    return half(photo, name)[::2, ::2]

def nothing(photo, name):
    return None

def grey(photo, name):
    return np.full(photo.shape[:2], 7)

def turned(photo, name):
    return half(photo, name).T

def beyond(photo, name):
    return np.full(photo.shape[:2], 1.5)

def three(photo, name):
    return photo

def text(photo, name):
    return "mask"

def broken(photo, name):
    raise ValueError("no such thing")

def leaves(photo, name):
    raise SystemExit(0)

number = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own_masks.py"
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize("name", ["half", "bytes_", "picture", "decimals", "smaller"])
def test_masks_of_all_kinds_are_understood(file: Path, name: str) -> None:
    cue, items = asked(f"callable:{file}:{name}", noise((20, 32), (40, 16)))
    masks = cue.prepare(items, None)
    assert [tuple(mask.shape) for mask in masks] == [(20, 32), (40, 16)]
    for mask in masks:
        assert mask.dtype == torch.bool
        assert mask[: mask.shape[0] // 2].all()
        assert not mask[mask.shape[0] // 2 :].any()


def test_the_function_gets_photo_and_class_name(file: Path) -> None:
    cue, items = asked(f"callable:{file}:half", noise((20, 32), (40, 16)), labels=[1, -1])
    cue.prepare(items, None)
    assert cue._function.__globals__["seen"][-2:] == [((20, 32, 3), "uint8", "cat"), ((40, 16, 3), "uint8", "")]


def test_soft_masks_keep_their_values(file: Path) -> None:
    cue, items = asked(f"callable:{file}:decimals", noise((20, 32)), soft=True)
    [mask] = cue.prepare(items, None)
    assert cue.soft
    assert set(mask.unique().tolist()) == {0.0, 0.75}


def test_nothing_found_is_no_cue(file: Path) -> None:
    cue, items = asked(f"callable:{file}:nothing", noise((20, 32)))
    assert cue.prepare(items, None) == [None]
    assert cue.report.missing == ["0.png"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("grey", "whole numbers from 7 to 7"),
        ("turned", "a mask of 20 x 32; the photo has 32 x 20 pixels"),
        ("beyond", r"decimals from 1\.5 to 1\.5"),
        ("three", r"an array \(20, 32, 3\) of uint8"),
        ("text", "not a mask"),
        ("broken", r"failed for the image 0\.png: ValueError: no such thing"),
        ("leaves", r"failed for the image 0\.png: SystemExit"),
    ],
)
def test_what_is_no_mask_is_refused(file: Path, name: str, what: str) -> None:
    cue, items = asked(f"callable:{file}:{name}", noise((20, 32)))
    with pytest.raises(DataError, match=what):
        cue.prepare(items, None)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("callable", "is written callable:module.function"),
        ("callable:half", "names no function"),
        ("callable:{file}:gone", "'gone' is not there"),
        ("callable:{file}:number", "'number' is no function"),
        ("callable:nowhere.py:f", "There is no file nowhere.py"),
        ("callable:no_such_module.f", "ModuleNotFoundError"),
        ("none:more", "takes nothing behind a colon"),
    ],
)
def test_functions_that_are_not_there_are_named(file: Path, source: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        asked(source.format(file=file), noise((8, 8)))[0].ready([], None)


@pytest.mark.parametrize(
    ("text", "todo"),
    [
        (SOURCE, "Write callable:{file}:half; it has half, bytes_, picture, decimals and smaller and others."),
        ("def cut(photo, name):\n    return None\n", "Write callable:{file}:cut."),
        ("def _inner(): ...\n", "Write callable:file.py:function."),
        ("def broken(:\n", "Write callable:file.py:function."),
    ],
)
def test_a_file_without_a_function_is_told_which_there_are(file: Path, text: str, todo: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match="is a file; which function of it makes the masks is not said") as caught:
        asked(f"callable:{file}", noise((8, 8)))[0].ready([], None)
    assert caught.value.todo == todo.format(file=file)
    with pytest.raises(ConfigError, match=r"There is no file gone\.py, and no function of it is named"):
        asked("callable:gone.py", noise((8, 8)))[0].ready([], None)


def test_modules_of_the_working_folder_are_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    cue, items = asked("callable:own_masks.half", noise((20, 32)))
    assert cue.prepare(items, None)[0] is not None


def test_a_changed_function_is_another_one(file: Path) -> None:
    cue, _ = asked(f"callable:{file}:half", noise((8, 8)))
    before = cue.made_with()
    file.write_text(SOURCE.replace("// 2", "// 3"))
    assert asked(f"callable:{file}:half", noise((8, 8)))[0].made_with() != before


def test_training_takes_it_from_the_configuration(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    config = check_cue(make_config({"data": "-", "cue": "callable:own_masks.py:half"}))
    assert cue_type(config.cue.source).__name__ == "CallableCue"
    absolute = with_absolute_models(config, lambda text: str(Path(text).absolute()))
    assert absolute.cue.source == f"callable:{file}:half"


@pytest.mark.long
def test_a_run_trains_on_its_masks(file: Path, tmp_path: Path) -> None:
    import dapt
    from helpers import make_csv

    made = make_csv(tmp_path / "table")
    run = dapt.train(
        str(made),
        model="demo",
        method="coop",
        dapt=True,
        cue=f"callable:{file}:half",
        epochs=1,
        out=str(tmp_path / "run"),
    )
    counts = run.results.to_dict() if hasattr(run.results, "to_dict") else vars(run.results)
    assert "callable:" in str(counts)
    log = (tmp_path / "run" / "log.txt").read_text()
    assert "16 of 16 images, mean coverage 50%" in log


def test_pictures_with_one_channel_more(file: Path) -> None:
    from dapt.cues.callable_cue import _mask_of
    from dapt.cues.model_cue import Photo

    photo = Photo("a", torch.zeros(3, 6, 4, dtype=torch.uint8))
    assert _mask_of(np.ones((6, 4, 1), bool), "", photo).shape == (6, 4)
    assert _mask_of(Image.new("L", (4, 6), 255), "", photo).all()


def test_a_function_that_is_not_written_in_python_has_no_source() -> None:
    cue, items = asked("callable:os.system", noise((20, 32)))
    assert cue.made_with() == {}
    with pytest.raises(DataError, match="failed for the image"):
        cue.prepare(items, None)
