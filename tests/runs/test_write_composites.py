"""Composites as data sets: read like any other, and exactly what the models were asked about."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from audit_helpers import small_audit
from dapt.data.load.images import image_tensor
from dapt.data.resolve import load_data
from dapt.errors import ConfigError
from dapt.evaluation.audit.donors import NONE
from dapt.runs.audit_folder import COMPOSITES, AuditFolder
from dapt.runs.audit_run import Audit
from dapt.runs.write_composites import COLUMNS, composite_files, write_composites


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return small_audit(tmp_path_factory.mktemp("audit"), models=1)


def test_every_variant_is_a_data_set(audit: Audit, tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path / "w", COMPOSITES, "--write")
    write_composites(audit, folder)
    there = sorted(path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*.*") if path.is_file())
    assert [name for name in there if name[0] != "."] == sorted(composite_files(audit))
    for variant in audit.variants:
        data = load_data(str(folder.path / variant))
        items = {item.name: item for item in data.split("test")}
        assert len(items) == 8
        assert set(data.names) == set(audit.material.names)
        for place in range(8):
            item = items[f"images/{place:06d}.png"]
            assert data.names[item.label] == audit.material.names[audit.material.labels[place]]
            expected = audit.scenes.variants(place, [variant])[variant]
            assert torch.equal(image_tensor(item.path), expected), "the very pixels that were asked about"
            assert item.mask is not None
            mask = np.array(Image.open(item.mask)) == 255
            assert torch.equal(torch.from_numpy(mask), audit.scenes.cutouts[place].inside)


def test_the_table_says_where_pictures_are_from(audit: Audit, tmp_path: Path) -> None:
    write_composites(audit, AuditFolder(tmp_path / "w", COMPOSITES, "--write"))
    with (tmp_path / "w" / "mixed_next" / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    material = audit.material
    for place, row in enumerate(rows):
        donor = int(material.donors.of["mixed_next"][place])
        assert row["source"] == material.items[place].name
        assert row["background"] == material.items[donor].name
        assert row["background_class"] == material.names[material.labels[donor]] != row["classname"]
    with (tmp_path / "w" / "only_fg" / "index.csv").open(newline="") as file:
        assert {row["background"] for row in csv.DictReader(file)} == {""}


@pytest.mark.long
def test_images_without_a_donor_are_not_in_the_mixture(audit: Audit, tmp_path: Path) -> None:
    donors = audit.material.donors.of["mixed_same"]
    before = int(donors[3])
    donors[3] = NONE
    try:
        write_composites(audit, AuditFolder(tmp_path / "w", COMPOSITES, "--write"))
    finally:
        donors[3] = before
    assert len(load_data(str(tmp_path / "w" / "mixed_same")).split("test")) == 7
    assert not (tmp_path / "w" / "mixed_same" / "images" / "000003.png").exists()
    assert len(load_data(str(tmp_path / "w" / "mixed_rand")).split("test")) == 8


@pytest.mark.long
def test_interrupted_it_is_no_data_and_is_made_again(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = AuditFolder(tmp_path / "w", COMPOSITES, "--write")

    def stop(*given: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dapt.runs.write_composites._table", stop)
        with pytest.raises(KeyboardInterrupt):
            write_composites(audit, folder)
    assert not list(folder.path.rglob("index.csv"))
    with pytest.raises(ConfigError, match="unfinished"):
        write_composites(audit, folder)
    write_composites(audit, folder, overwrite=True)
    assert len(list(folder.path.rglob("index.csv"))) == len(audit.variants)
