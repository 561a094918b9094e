"""`Predictor`: one encoding of the class texts, any form of picture, any number of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import dapt
from dapt.clip.text_tower import TextTower
from dapt.data.load.images import RefusedImageError
from dapt.errors import DataError, NotSupportedError
from dapt.model.attention import features_and_attention
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam
from dapt.runs.predict import predict_files, predict_images
from helpers import COLOURS, draw, run_with, tiny_clip

NAMES = list(COLOURS)
OPTIONS = {"maple": {"depth": 2}, "clip_lora": {}, "cocoop": {}, "coop": {"n_ctx": 4}}


def made(method: str = "maple", **more: object) -> dapt.PromptedClip:
    model = dapt.create_model(tiny_clip(), method, NAMES, **{**OPTIONS[method], **more})
    with torch.no_grad():  # so that updates of weights are seen
        for part in model.parameters():
            part.add_(0.05 * torch.randn(part.shape, generator=torch.Generator().manual_seed(1)))
    return model


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for index in range(8):
        draw(NAMES[index % 4], index)[0].save(tmp_path / f"{index}.png")
    return sorted(tmp_path.glob("*.png"))


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    encode = TextTower.encode
    monkeypatch.setattr(TextTower, "encode", lambda *given, **named: calls.append(1) or encode(*given, **named))
    return calls


def test_class_texts_are_encoded_once(files: list[Path], encodings: list[int]) -> None:
    predictor = dapt.Predictor(made())
    assert len(encodings) == 1
    predictor(files), predictor(files[0], explain=True), predictor(files, explain=True)
    predict_images(predictor, files)
    assert len(encodings) == 1


def test_a_prediction_of_files_with_pictures_encodes_them_once(
    photos: Path, tiny_spec: str, tmp_path: Path, encodings: list[int]
) -> None:
    run = dapt.train(**run_with(photos, tiny_spec, tmp_path / "run", method="coop", depth=None, epochs=1))
    encodings.clear()
    paths = sorted((photos / NAMES[0]).glob("*.png"))[:3]
    predict_files(run.folder, paths, explain=tmp_path / "looks", device="cpu")
    assert len(list((tmp_path / "looks").iterdir())) == 3
    assert len(encodings) == 3, "for the size of the joint space, the class texts, the background texts of patches"
    again = dapt.load(run.folder, device="cpu")
    first = again.predict(paths)
    encodings.clear()
    assert again.predict(paths) == first
    assert not encodings
    assert again.predict(paths, classes=["one", "two"])[0].classes[0] in ("one", "two")
    assert again.predict(paths) == first
    assert len(again.model.names) == 4
    again.model.set_classes(["three"])
    assert again.predict(paths)[0].classes == ("three",)


def test_files_pictures_bytes_and_pixels_give_one_answer(files: list[Path]) -> None:
    model = made()
    predictor = dapt.Predictor(model)
    expected = predictor(files[0])
    logits = Classifier(model)(model.preprocess(files[0])[None])
    assert expected.classes[0] == NAMES[int(logits.argmax())]
    assert expected.probabilities == pytest.approx(logits.softmax(dim=1)[0].sort(descending=True).values.tolist())
    assert expected.features is not None
    assert expected.features.shape == (32,)
    assert expected.path == files[0]
    picture = Image.open(files[0])
    for given in (str(files[0]), picture, np.asarray(picture)):
        assert predictor(given).probabilities == expected.probabilities
    assert predictor(picture).path is None
    pixels = torch.stack([model.preprocess(path) for path in files])
    many = [predictor(files), predictor(pixels), predictor([files[0], pixels[1:3], picture, *files[4:]])]
    assert [len(each) for each in many] == [8, 8, 8]
    for found in many:
        assert found[0].probabilities == pytest.approx(expected.probabilities, abs=1e-6)
    assert many[0] == predict_images(model, files)
    assert [each.path for each in many[2]] == [files[0], None, None, None, *files[4:]]
    assert predictor([]) == []
    assert len(predictor(files[0], top=2).classes) == 2
    assert len(predictor([files[0]] * 70)) == 70


@pytest.mark.parametrize("method", OPTIONS)
def test_eight_threads_give_the_answers_of_one(files: list[Path], method: str) -> None:
    model = made(method)
    before = {name: value.clone() for name, value in model.clip.model.state_dict().items()}
    one, two = dapt.Predictor(model), dapt.Predictor(model, ["one", "two"])
    jobs = [(predictor, path, explain) for path in files for predictor in (one, two) for explain in (False, True)]

    def work(job: tuple[dapt.Predictor, Path, bool]) -> dapt.Prediction:
        predictor, path, explain = job
        return predictor(path, explain=explain)

    expected = [work(job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, jobs * 3))
    for job, mine, alone in zip(jobs * 3, found, expected * 3, strict=True):
        assert mine.classes == alone.classes
        assert mine.probabilities == pytest.approx(alone.probabilities, abs=1e-6)
        if job[2]:
            assert torch.allclose(mine.cam, alone.cam, atol=1e-7)
            assert torch.allclose(mine.attention, alone.attention, atol=1e-7)
    assert all(torch.equal(value, before[name]) for name, value in model.clip.model.state_dict().items())
    assert not model.clip.image.last_norm()._forward_hooks


def test_the_models_classes_do_not_reach_it(files: list[Path]) -> None:
    for method in ("maple", "cocoop"):
        model = made(method)
        predictor = dapt.Predictor(model)
        expected = predictor(files[0])
        model.set_classes(["other"])
        assert predictor(files[0]) == expected
        assert dapt.Predictor(model)(files[0]).classes == ("other",)


def test_explanations_are_those_of_the_figures(files: list[Path]) -> None:
    model = made()
    predictor = dapt.Predictor(model)
    found = predictor(files[:3], explain=True)[1]
    pixels = model.preprocess(files[1])[None]
    target = torch.tensor([NAMES.index(found.classes[0])])
    classify = Classifier(model)
    assert torch.equal(found.attention, features_and_attention(classify, pixels)[1][0])
    assert torch.equal(found.cam, grad_cam(classify, pixels, target).coarse[0])
    assert predictor(files[0]).cam is None
    assert predictor(files[0]).attention is None


def test_columns_of_the_released_code_are_no_classes(files: list[Path]) -> None:
    model = made(dapt={"released": True})
    predictor = dapt.Predictor(model)
    pixels = model.preprocess(files[0])[None]
    assert model.eval()(pixels).shape == (1, 4 + 7)
    found = predictor(files[0], top=99)
    assert sorted(found.classes) == sorted(NAMES)
    assert sum(found.probabilities) == pytest.approx(1.0)


def test_what_cannot_be_predicted(tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = dapt.Predictor(made())
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(9))
    for given, message in (
        (tmp_path / "broken.png", "damaged"),
        (tmp_path / "none.png", "no image"),
        (torch.zeros(3, 32, 32), "Normalised pixels"),
        (np.zeros((4, 4, 3)), "uint8 array"),
    ):
        with pytest.raises(DataError, match=message):
            predictor(given)
    monkeypatch.setattr("dapt.data.load.picture_files.max_megapixels", lambda: 0.001)
    with pytest.raises(RefusedImageError):
        predictor(files[0])
    fixed = dapt.create_model(tiny_clip(), "coop.csc", NAMES, n_ctx=4)
    with pytest.raises(NotSupportedError, match="cannot name other classes"):
        dapt.Predictor(fixed, ["other"])
