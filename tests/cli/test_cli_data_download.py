"""`dapt data download`: what its arguments become; nothing is downloaded."""

from __future__ import annotations

import pytest


def test_arguments(dapt, caught) -> None:
    calls = caught("dapt.data.catalog.fetch.fetch")
    assert dapt("data", "download", "dtd")[0] == 0
    code, _, err = dapt("data", "download", "dtd", "--root", "/r", "--only", "masks, split", "-y", "--force", "--masks")
    assert code == 0, err
    switches = dict.fromkeys(("yes", "masks", "force", "dry_run", "keep_archives"), False)
    assert calls == [
        (("dtd", None), {**switches, "only": []}),
        (("dtd", "/r"), {**switches, "only": ["masks", "split"], "yes": True, "force": True, "masks": True}),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dtd", "--only", ","], "--only names no part"),
        (["dtdd", "--dry-run"], "Did you mean 'dtd'"),
        ([], "Missing argument"),
    ],
)
def test_mistakes(dapt, arguments: list[str], message: str) -> None:
    code, out, err = dapt("data", "download", *arguments)
    assert (code, out) == (2, "")
    assert message in err
