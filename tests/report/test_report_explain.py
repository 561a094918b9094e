"""`dapt explain` as one call: what is written, and over what it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dapt
from dapt.errors import ConfigError, DataError
from dapt.files import write_json
from dapt.lock import FolderLock
from dapt.report.explain import JSON, PAGE, _remarks, explain_and_write, print_explanations
from dapt.runs.explain import Foreground
from helpers import make_folder

CLASSES = ["red square", "blue disc"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", per_class=2, classes=2)


def explained(photos: Path, out: Path, spec: str, **how: object) -> dict:
    given = {"model": spec, "classes": CLASSES, "device": "cpu", "maps": [], **how}
    return explain_and_write([photos], out, **given)  # type: ignore[arg-type]


def test_pictures_page_and_figures(photos: Path, tmp_path: Path, tiny_spec: str, capsys) -> None:
    foreground = Foreground(photos.parent / "photos-masks")
    tree = explained(photos, tmp_path / "o", tiny_spec, foreground=foreground, top=1)
    names = sorted(path.name for path in (tmp_path / "o").glob("[!.]*"))
    assert names == ["00-2.png", "00.png", "01-2.png", "01.png", PAGE, JSON]
    assert json.loads((tmp_path / "o" / JSON).read_text()) == tree
    assert [row["picture"] for row in tree["explained"]] == ["00.png", "01.png", "00-2.png", "01-2.png"]
    for row in tree["explained"]:
        (look,) = row["looks"].values()
        assert 0 < row["foreground"]["share"] < 1
        evidence = look["evidence_nats"]
        both = evidence["foreground"] + evidence["background"]
        assert both == pytest.approx(evidence["whole_log_odds"] - evidence["empty_log_odds"], abs=1e-9)
        assert [len(view["predictions"]) for view in look["views"].values()] == [1] * 4
    shares = [row["looks"]["zero-shot"]["background_share"] for row in tree["explained"]]
    known = [share for share in shares if share is not None]
    assert tree["summary"]["zero-shot"]["background_share_images"] == len(known)
    assert tree["summary"]["decisions_changed"] is None
    assert tree["words"] is None
    print_explanations(tree)
    assert "zero-shot" in capsys.readouterr().out
    explained(photos, tmp_path / "o", tiny_spec, foreground=foreground)  # what dapt wrote is replaced
    assert sorted(path.name for path in (tmp_path / "o").glob("[!.]*")) == names


def test_of_many_images_some_and_damaged_ones_are_told(photos: Path, tmp_path: Path, tiny_spec: str, capsys) -> None:
    tree = explained(photos, tmp_path / "o", tiny_spec, limit=2)
    told = capsys.readouterr().err
    assert "2 of 4 images are explained, evenly chosen" in told
    assert "2 pictures, explain.html and explain.json in" in told
    explained(photos, tmp_path / "one", tiny_spec, limit=1)
    told = capsys.readouterr().err
    assert "1 of 4 images is explained" in told
    assert "1 picture, explain.html" in told
    assert (tree["images_given"], tree["images_chosen"], len(tree["explained"])) == (4, 2, 2)
    for path in photos.rglob("0*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="nothing to explain"):
        explained(photos, tmp_path / "o", tiny_spec, skip_bad=True)
    assert "4 damaged images were left out" in capsys.readouterr().err


def test_one_writer_at_a_time_and_no_leftovers(photos: Path, tmp_path: Path, tiny_spec: str) -> None:
    out = tmp_path / "o"
    out.mkdir()
    for name in (".00.png.0a1b2c3d.part", ".explain.json.0a1b2c3d.part", ".mine.png.0a1b2c3d.part"):
        (out / name).write_bytes(b"half")
    with FolderLock(out), pytest.raises(ConfigError, match="is in use by"):
        explained(photos, out, tiny_spec)
    explained(photos, out, tiny_spec, limit=1)
    assert [path.name for path in out.glob(".*.part")] == [".mine.png.0a1b2c3d.part"], "what is no file of this kind"


@pytest.mark.parametrize("name", ["00.png", PAGE, JSON])
def test_what_others_wrote_is_left_alone(photos: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "o"
    out.mkdir()
    (out / name).write_text("thesis")
    with pytest.raises(ConfigError, match="exists") as caught:
        explained(photos, out, "no such model")
    assert "--out" in caught.value.message
    assert (out / name).read_text() == "thesis"
    write_json(out / JSON, {"schema": 1})
    with pytest.raises(ConfigError, match="exists"):
        explained(photos, out, "no such model")


def test_no_class_is_named_twice(photos: Path, tmp_path: Path, tiny_spec: str) -> None:
    with pytest.raises(ConfigError, match="The class 'cat' is named twice"):
        explained(photos, tmp_path / "o", tiny_spec, classes=["cat", "cat"])
    assert not (tmp_path / "o").exists()


def test_a_decision_that_no_image_is_needed_for_is_told() -> None:
    def row(whole: float, empty: float) -> dict:
        return {"looks": {"after": {"evidence_nats": {"whole_log_odds": whole, "empty_log_odds": empty}}}}

    rows = [row(3.2, 5.7), row(3.2, -8.0), {"looks": {"after": {"evidence_nats": None}}}]
    (said,) = _remarks(rows, ["after"])
    assert said.startswith("after: in 1 of 2 images it is no surer of its class than with nothing to see")
    assert _remarks(rows[1:], ["after"]) == []


def test_not_among_photographs_or_masks(photos: Path, tmp_path: Path) -> None:
    masks = tmp_path / "photos-masks"
    (tmp_path / "note.txt").write_text("thesis")
    for out, message in (
        (photos / "looks", "would be taken for photographs"),
        (masks / "looks", "lies within the masks"),
        (tmp_path / "note.txt", "is a file, not a folder"),
    ):
        with pytest.raises(ConfigError, match=message):
            explained(photos, out, "no such model", foreground=Foreground(masks))


@pytest.mark.long
def test_from_python(photos: Path, tmp_path: Path, tiny_spec: str) -> None:
    run = dapt.train(
        photos, model=tiny_spec, method="coop", n_ctx=2, epochs=1, shots=1, out=str(tmp_path / "run"), device="cpu"
    )
    tree = run.explain([photos], tmp_path / "a", masks=photos.parent / "photos-masks", maps=["gradcam"])
    assert set(tree["summary"]) == {"before (zero-shot)", "after (coop)", "decisions_changed"}
    assert len(tree["words"]["vectors"]) == 2
    how = {"cue": "patches", "cue_options": {"cut": "otsu"}}
    other = dapt.explain([photos], tmp_path / "b", model=tiny_spec, classes=CLASSES, device="cpu", **how)
    assert other["foreground"]["guessed_by"] == "patches"
    with pytest.raises(ConfigError, match="cutt"):
        run.explain([photos], tmp_path / "c", cue="patches", cue_options={"cutt": 1})
    assert other["words"] is None
    assert other["explained"][0]["looks"]["zero-shot"]["maps"]["gradcam"] is True
