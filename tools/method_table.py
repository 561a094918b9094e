"""Write the method tables of README.md and docs/methods.md from the registry, that of docs/dapt.md from the options.

Usage: python tools/method_table.py
"""

from __future__ import annotations

from pathlib import Path

from dapt.clip.random_model import random_clip
from dapt.errors import DataError
from dapt.files import write_text
from dapt.report.dapt_card import dapt_table
from dapt.report.method_card import BACKBONE, markdown_table, settings_table

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- made by tools/method_table.py -->\n", "<!-- end -->\n"


def with_table(text: str, table: str) -> str:
    """`text` with what stands between the marks replaced by `table`.

    Raises:
        DataError: they are not there.
    """
    if BEGIN not in text or END not in text.partition(BEGIN)[2]:
        raise DataError(f"A page lacks the lines '{BEGIN.strip()}' and '{END.strip()}'.")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table + END + after


def pages() -> dict[Path, str]:
    """Each page and its table."""
    return {
        ROOT / "README.md": markdown_table(random_clip(BACKBONE)),
        ROOT / "docs" / "methods.md": settings_table(),
        ROOT / "docs" / "dapt.md": dapt_table(),
    }


def main() -> None:
    """Write all tables."""
    for path, table in pages().items():
        write_text(path, with_table(path.read_text(encoding="utf-8"), table))


if __name__ == "__main__":
    from ending import ending

    ending(main)
