"""`dapt masks import`: its arguments, what it says and its exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mask_exports import BOXES, EXPORTS, make_photos, read, true_mask, write_coco, write_instances, write_suffix


def test_every_argument_arrives(caught, dapt, tmp_path: Path) -> None:
    calls = caught("dapt.runs.import_masks.import_masks")
    arguments = ["masks", "import", "a.json", "--data", "photos", "--out", "o", "--format", "coco", "--labels", "a, b"]
    arguments += ["--mask-format", "labels", "--mask-name", "{stem}.png", "--mask-background", "white", "--skip-bad"]
    code, _, err = dapt(*arguments, "--root", "r", "--own-split", "-q")
    assert code == 0, err
    assert calls == [
        (
            (Path("a.json"), "photos", Path("o")),
            {
                "format": "coco",
                "classes": ["a", "b"],
                "mask_format": "labels",
                "mask_name": "{stem}.png",
                "mask_background": "white",
                "skip_bad": True,
                "root": "r",
                "own_split": True,
            },
        )
    ]


def test_what_is_said(dapt, tmp_path: Path) -> None:
    data = make_photos(tmp_path / "photos")
    write_coco(tmp_path / "export", {**BOXES, "cat/9.jpg": (1, 1, 5, 5)})
    code, out, err = dapt("masks", "import", tmp_path / "export", "--data", data, "--out", tmp_path / "masks")
    assert (code, out) == (0, "")
    assert f"{tmp_path / 'export'} is taken for --format coco: instances.json has images and annotations." in err
    assert "foreground cues: 4 of 4 images" in err
    assert "warning: 1 picture of the annotations is not in photos: cat/9.jpg." in err
    assert f"use them with: dapt train {data} --dapt --masks {tmp_path / 'masks'}" in err
    assert "The foreground is all that is annotated: cat (2 objects) and dog (2); --classes takes some alone." in err
    assert (read(tmp_path / "masks" / "cat" / "1.png") == true_mask(BOXES["cat/1.jpg"])).all()
    code, out, _ = dapt("masks", "verify", data, "--masks", tmp_path / "masks")
    assert code == 0
    assert "usable: 4 of 4 images" in out


def test_what_is_said_of_photos_without_classes(dapt, tmp_path: Path) -> None:
    data = make_photos(tmp_path / "my photos", {"1.jpg": 0, "2.jpg": 0})
    write_coco(tmp_path / "export", {"1.jpg": (1, 1, 9, 9)})
    code, _, err = dapt("masks", "import", tmp_path / "export", "--data", data, "--out", tmp_path / "masks")
    assert code == 0, err
    assert err.splitlines()[-1] == f"masks in {tmp_path / 'masks'}", "no class can be learned from them"
    data = make_photos(tmp_path / "my data")
    write_coco(tmp_path / "other", BOXES)
    arguments = ["--data", data, "--out", tmp_path / "o", "--classes", "dog"]
    code, _, err = dapt("masks", "import", tmp_path / "other", *arguments)
    assert code == 0, err
    assert f"use them with: dapt train '{data}' --dapt --masks {tmp_path / 'o'}" in err
    assert "The foreground is dog (2 objects). Left out by --classes: cat (2 objects)." in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "cocoa"], "Did you mean 'coco'?"),
        (["--classes", "bird"], "There is no category 'bird' in this COCO export"),
        (["--mask-format", "x"], "There is no mask format 'x'"),
        (["--mask-name", "x"], "would be the same for every image"),
        (["--format", "labelme"], "holds no Labelme JSON"),
    ],
)
def test_mistakes(dapt, tmp_path: Path, arguments: list[str], message: str) -> None:
    data = make_photos(tmp_path / "photos")
    write_coco(tmp_path / "export", BOXES)
    out = tmp_path / "masks"
    code, said, err = dapt("masks", "import", tmp_path / "export", "--data", data, "--out", out, *arguments)
    assert (code, said) == (2, "")
    assert message in err
    assert not out.exists()


@pytest.mark.parametrize("format", ["instances", pytest.param("suffix", marks=pytest.mark.long)])
def test_mask_pictures_by_a_pattern(dapt, tmp_path: Path, format: str) -> None:
    data = make_photos(tmp_path / "photos")
    {"suffix": write_suffix, "instances": write_instances}[format](tmp_path / "export", BOXES)
    pattern = {"suffix": "{stem}_mask.png", "instances": "{stem}_*.png"}[format]
    arguments = ["--data", data, "--out", tmp_path / "masks", "--mask-name", pattern]
    code, _, err = dapt("masks", "import", tmp_path / "export", *arguments)
    assert code == 0, err
    assert f"is taken for --format {format}: --mask-name is {pattern}." in err
    assert (read(tmp_path / "masks" / "dog" / "3.png") == true_mask(BOXES["dog/3.jpg"])).all()


# A process of its own shows that a format is found in a fresh interpreter; what each export holds, and all of them
# under both ways of asking, is tested in one process by tests/runs/test_import_masks.py. Three stand for all: each
# start of the program takes ten seconds.
ONE_OF_EACH_FORMAT = {format: export for export, (format, _) in reversed(EXPORTS.items())}
STARTED = ("coco", "labelme", "instances")


@pytest.mark.long
@pytest.mark.parametrize("format", STARTED)
def test_the_program_itself(tmp_path: Path, format: str) -> None:
    data = make_photos(tmp_path / "photos")
    _, write = EXPORTS[ONE_OF_EACH_FORMAT[format]]
    write(tmp_path / "export", BOXES)
    program = [sys.executable, "-m", "dapt", "masks", "import", str(tmp_path / "export"), "--format", format]
    done = subprocess.run(
        [*program, "--data", str(data), "--out", str(tmp_path / "masks")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for name, box in BOXES.items():
        assert (read(tmp_path / "masks" / f"{name[:-4]}.png") == true_mask(box)).all()
