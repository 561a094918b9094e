"""Finds the fixture cases of a folder in the published parity format."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case_name" in metafunc.fixturenames:
        from cases import case_parameters

        folder = Path(metafunc.config.getoption("--parity-dir") or HERE / "fixtures")
        metafunc.parametrize("case_name", case_parameters(folder))


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest):
    from cases import Folder

    return Folder(Path(request.config.getoption("--parity-dir") or HERE / "fixtures"))
