"""Which masks an audit goes by, for the record and for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DataError
from dapt.runs.audit_cue import about_masks, audit_cue, zero_shot_model
from dapt.runs.audit_images import Question
from helpers import make_csv, make_folder, tiny_clip


def test_files_are_no_guesses(tmp_path: Path) -> None:
    path = make_csv(tmp_path / "t")
    question = Question(str(path))
    cue = audit_cue(question, load_data(str(path)))
    assert cue.name == "dataset"
    assert about_masks(cue, question) | {"options": {}} == {
        **{"source": "dataset", "options": {}, "folder": None, "guessed": False, "words": "from files"}
    }


def test_a_cue_guesses(tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos", per_class=1)
    question = Question(str(photos), cue="border")
    about = about_masks(audit_cue(question, load_data(str(photos))), question)
    assert about["guessed"]
    assert about["words"] == "of the cue border"


def test_no_masks_and_no_model(tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos", per_class=1)
    with pytest.raises(DataError, match="has to know where the object is"):
        audit_cue(Question(str(photos)), load_data(str(photos)))
    with pytest.raises(ConfigError, match="needs a model"):
        zero_shot_model(Question(str(photos), cue="gradcam"), None, ["a"])
    model = zero_shot_model(Question(str(photos), cue="gradcam"), tiny_clip(), ["a", "b"])
    assert not model.training
    assert tuple(model.names) == ("a", "b")
