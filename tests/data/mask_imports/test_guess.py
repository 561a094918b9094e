"""Which format a folder has."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.mask_imports.base import Asked
from dapt.data.mask_imports.guess import format_of
from dapt.data.mask_imports.source import Source
from dapt.errors import ConfigError, DataError
from mask_exports import BOXES, EXPORTS, make_photos, save, write_coco, write_labelme, write_suffix, write_yolo

ASKED = Asked(photos=tuple(BOXES))


@pytest.mark.long
@pytest.mark.parametrize("export", EXPORTS)
def test_each_export_is_one_format(tmp_path: Path, export: str) -> None:
    format, write = EXPORTS[export]
    write(tmp_path, BOXES)
    assert format_of("auto", Source(tmp_path), ASKED)[0] == format


def test_two_formats_are_refused(tmp_path: Path) -> None:
    write_coco(tmp_path, BOXES)
    write_yolo(tmp_path, BOXES)
    told = r"fits several formats \(coco: instances.json has .*; yolo-seg: .*\n.*--format coco or yolo-seg"
    with pytest.raises(DataError, match=told):
        format_of("auto", Source(tmp_path), ASKED)
    assert format_of("coco", Source(tmp_path), ASKED)[0] == "coco"


def test_photos_and_masks_beside_tables_do_not_matter(tmp_path: Path) -> None:
    write_labelme(tmp_path, BOXES)
    make_photos(tmp_path)
    write_suffix(tmp_path, BOXES)
    assert format_of("auto", Source(tmp_path), ASKED)[0] == "labelme"


def test_none_fits(tmp_path: Path) -> None:
    make_photos(tmp_path)
    save(tmp_path / "a.json", '{"a": 1')
    with pytest.raises(
        DataError, match=r"none of the formats .*alpha, coco, .*a\.json cannot be read.*\n.*--masks FOLDER"
    ):
        format_of("auto", Source(tmp_path), ASKED)
    save(tmp_path / "project.zip", "PK")
    with pytest.raises(DataError, match=r"none of the formats .*project\.zip is packed: unpack it\."):
        format_of("auto", Source(tmp_path), ASKED)
    with pytest.raises(ConfigError, match=r"There is no mask format to import 'cocoa'.*\n.*Did you mean 'coco'"):
        format_of("cocoa", Source(tmp_path), ASKED)


@pytest.mark.parametrize(
    "text",
    [
        '{"images": [{"id": 1}], "annotations": [{"caption": "a cat"}]}',
        '{"images": [], "categories": []}',
        '[{"image_id": 1, "score": 0.5}]',
        '{"shapes": []}',
        '[{"text": "a", "label": 1}]',
    ],
)
def test_other_json_files(tmp_path: Path, text: str) -> None:
    save(tmp_path / "a.json", text)
    with pytest.raises(DataError, match="none of the formats"):
        format_of("auto", Source(tmp_path), ASKED)
