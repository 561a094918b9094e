"""Masks and images as people have them, through the library: what a run records, and the inputs under `shared`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import dapt
from dapt.config import make_config
from dapt.data.load.images import image_tensor
from dapt.data.load.reading import Reading, use_matte, use_reading
from dapt.errors import DataError
from dapt.runs.identity import identity
from dapt.runs.load_run import load_run
from dapt.runs.predict import predict_images
from dapt.runs.run_folder import RunFolder
from dapt.runs.train import run_training
from dapt.runs.verify_masks import verify_masks
from helpers import make_folder, run_with

FIELD = Path(__file__).parents[2].parent / "shared" / "field"
EXPORTS, TURNED, ODD = (FIELD / name for name in ("08-mask-exports", "18-exif-and-masks", "09-odd-images"))
there = pytest.mark.skipif(not FIELD.is_dir(), reason="the shared inputs are not there")


@there
@pytest.mark.parametrize(
    ("masks", "options"),
    [
        ("cutout", {"mask_format": "alpha"}),
        ("cutout_bright", {"mask_format": "alpha"}),
        ("voc_palette", {"mask_format": "labels"}),
        ("cvat_rgb", {"mask_format": "colours"}),
        ("zero_one", {"mask_format": "labels"}),
        ("u16", {"mask_format": "labels"}),
        ("onebit", {}),
        ("double_ext", {}),
        ("inverted", {"mask_format": "colours", "mask_background": "white"}),
        ("suffix_mask", {"mask_name": "{stem}_mask.png"}),
        ("flat", {"mask_name": "{parent}_{stem}.png"}),
    ],
)
def test_exports_hold_one_and_the_same_masks(masks: str, options: dict[str, str]) -> None:
    found = verify_masks(str(EXPORTS / "data"), masks=EXPORTS / masks, **options)
    found.check()
    true = verify_masks(str(EXPORTS / "data"), masks=EXPORTS / "onebit")
    assert found.total.mean_coverage == pytest.approx(true.total.mean_coverage, abs=0.3)
    assert len(found.total.coverage) == 24
    assert found.doubts == []


@there
@pytest.mark.parametrize(
    ("masks", "told"),
    [
        ("cutout", "--mask-format alpha"),
        ("cutout_bright", "--mask-format alpha"),
        ("voc_palette", "--mask-format labels"),
        ("cvat_rgb", "--mask-format colours"),
        ("zero_one", "--mask-format labels"),
        ("u16", "--mask-format labels"),
        ("suffix_mask", "--mask-name '{stem}_mask.png' finds masks of 24 of 24"),
        ("flat", "--mask-name '{parent}_{stem}.png' finds masks of 24 of 24"),
        ("labelstudio", "names of Label Studio"),
        ("npy", ".npy files are not read"),
    ],
)
def test_exports_that_are_refused_name_the_way_out(masks: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        verify_masks(str(EXPORTS / "data"), masks=EXPORTS / masks).check()
    assert told in caught.value.message


@there
def test_exchanged_foreground_is_doubted() -> None:
    found = verify_masks(str(EXPORTS / "data"), masks=EXPORTS / "inverted")
    found.check()
    assert "foreground and background may be exchanged" in found.doubts[0]


@there
def test_masks_of_unturned_photos(capsys: pytest.CaptureFixture[str]) -> None:
    raw = verify_masks(str(TURNED / "data"), masks=TURNED / "masks_raw")
    upright = verify_masks(str(TURNED / "data"), masks=TURNED / "masks_upright")
    for found in (raw, upright):
        found.check()
    assert raw.total.coverage == upright.total.coverage
    verify_masks(str(TURNED / "sq"), masks=TURNED / "sq_masks_raw").check()
    said = " ".join(capsys.readouterr().err.split())
    assert "24 masks were drawn on photos as they are stored" in said
    assert "24 photos are turned by EXIF orientation and the size of the mask does not tell" in said


@there
def test_odd_images_show_what_they_hold() -> None:
    """All are one scene: none is black or white, whatever holds it."""
    pics = ODD / "pics"
    grey = image_tensor(pics / "onebit.png").float().mean()
    for name in ("u16_12bit.png", "u16_12bit.tif", "u16_full.png", "float01.tif", "float255.tif", "i32_8bit.tif"):
        found = image_tensor(pics / name).float()
        assert abs(float(found.mean() - grey)) < 5, name
        assert float(found.std()) > 20, name
    colour = image_tensor(pics / "upper.JPEG").float()
    for name in ("lab.tif", "cmyk.jpg", "ycbcr.tif", "palette.png", "jp2.jp2", "webp.webp"):
        assert float((image_tensor(pics / name).float() - colour).abs().mean()) < 12, name
    for name in ("alpha_black_under.png", "la.png"):
        assert float(image_tensor(pics / name).float().mean()) > 200, name


def transparent(root: Path) -> Path:
    """Photos of which one is transparent on its left half, under which it is red."""
    data = make_folder(root, per_class=8, classes=2)
    path = sorted(data.rglob("*.png"))[0]
    pixels = np.full((40, 48, 4), 255, np.uint8)
    pixels[:, :24] = (255, 0, 0, 0)
    Image.fromarray(pixels).save(path)
    return data


def test_the_matte_of_a_run_goes_with_it(tmp_path: Path, tiny_spec: str) -> None:
    data = transparent(tmp_path / "photos")
    path = sorted(data.rglob("*.png"))[0]
    out = tmp_path / "run"
    settings = run_with(data, tiny_spec, out, epochs=0, shots=1, matte="#000000")
    run_training(make_config(settings))
    assert RunFolder(out).config().matte == "#000000"
    use_reading(Reading())  # of another run since
    black = dapt.load_model(out)
    black.save_pretrained(tmp_path / "saved")
    assert dapt.load_model(tmp_path / "saved").preprocess.reading == Reading("#000000")
    model, _ = load_run(out)
    use_reading(Reading())
    half = model.preprocess(path)
    assert float(half[:, :, 0].max()) < float(half[:, :, -1].min())
    for other in (black, dapt.load_model(tmp_path / "saved")):
        assert (other.preprocess(path) == half).all()
        assert (other.preprocess(Image.open(path)) == half).all()
    use_matte("white")
    try:
        assert (model.preprocess(path)[:, :, 0] == half[:, :, -1]).all(), "the option of a command goes before it"
    finally:
        use_matte(None)
    assert predict_images(model, [path])


def test_clean_runs_are_known_by_the_settings_they_had(tmp_path: Path) -> None:
    config = make_config({"data": "-", "method": "zero_shot"})
    inputs = {"images": {}}
    names = ("matte", "bits", "mask_name", "mask_background")
    for change in ({"matte": "black"}, {"bits": 12}, {"mask_name": "{stem}_m.png"}, {"mask_background": "white"}):
        assert identity(config.model_copy(update=change), inputs) != identity(config, inputs)
    from dapt.runs.run_folder import result_settings

    assert not set(names) & set(result_settings(config))
