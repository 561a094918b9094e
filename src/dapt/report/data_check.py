"""`dapt data check` as one call: check data, and write what was found to files."""

from __future__ import annotations

from pathlib import Path

from dapt.clip.load_tokenizer import load_tokenizer
from dapt.clip.tokens import Tokenizer
from dapt.console import say
from dapt.data.catalog.base import CATALOG
from dapt.data.check.check_data import KEYS, CheckReport, check_data
from dapt.data.check.kept_looks import cache_file
from dapt.data.resolve import load_data
from dapt.errors import ConfigError
from dapt.files import write_json
from dapt.outputs import check_marked, check_replaceable
from dapt.report.check_page import MARK, write_check_page
from dapt.runs.apart import check_file_apart


def check_and_write(
    data: str,
    *,
    model: str | None = None,
    json_file: Path | None = None,
    html_file: Path | None = None,
    names: str | None = None,
    split_file: str | None = None,
    root: str | None = None,
    own_split: bool = False,
    cache: bool = True,
) -> CheckReport:
    """Check a data set.

    Args:
        data: as for `dapt.data.resolve.load_data`, as are `names`, `split_file`, `root` and `own_split`.
        model: specification of the backbone that is to read the class names; None: only what their letters tell.
        json_file, html_file: where the report and the page go. cache: keep what was seen in images.

    Raises:
        DaptError: the data cannot be read as data, or the files cannot be written there.
    """
    check_replaceable(json_file, KEYS, "--json")
    check_marked(html_file, MARK, "--html")
    if json_file is not None and json_file == html_file:
        raise ConfigError("--json and --html name the same file.", todo="Give each its own.")
    tokenizer: Tokenizer | None = None if model is None else load_tokenizer(model)
    found = load_data(data, names, root=root, own_split=own_split, skip_bad=True, split_file=split_file)
    for path, option in ((json_file, "--json"), (html_file, "--html")):
        check_file_apart(path, option, found, data)
    report = check_data(found, tokenizer, official=data in CATALOG.names(), cache=cache_file() if cache else None)
    if json_file is not None:
        write_json(json_file, report.as_json())
        say(f"report: {json_file}")
    if html_file is not None:
        write_check_page(html_file, report)
        say(f"page: {html_file}")
    return report
