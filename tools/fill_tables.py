"""Put what the commands of a page print beneath them, as docs/results.md and docs/evidence.md have it.

Usage: python tools/fill_tables.py docs/results.md [--check]

A command is a block of bash that begins with `dapt report`, or with `python` and one of `TOOLS`; what it prints stands
between the comments that follow it, `<!-- printed -->` and `<!-- end -->`. After one that ends with `--figures FOLDER`
stand pictures, one a line; those of its figures that have their names are put in their places. With --check nothing is
written, and the exit code is 1 where a table is not what its command prints; pictures, whose bytes change with
matplotlib, must be there only.
"""

from __future__ import annotations

import argparse
import io
import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import evidence_figures
import evidence_guard
import evidence_novel
import evidence_terms
import evidence_times
from dapt.cli.app import run
from dapt.errors import DaptError, DataError
from dapt.files import write_bytes, write_text

MISTAKE = 2  # exit code
SCRIPTS = (evidence_figures, evidence_guard, evidence_novel, evidence_terms, evidence_times)
TOOLS = {f"tools/{tool.__name__}.py": tool.main for tool in SCRIPTS}
COMMAND = rf"(?:dapt report|python (?:{'|'.join(map(re.escape, TOOLS))})) [^\n]+"
BEGIN, END = "<!-- printed -->", "<!-- end -->"
BLOCK = re.compile(rf"(```bash\n({COMMAND})\n```\n\n{BEGIN}\n)(.*?)({END})", re.DOTALL)

DRAWN = re.compile(r"```bash\n(dapt report [^\n]+ --figures) \S+\n```\n\n((?:!\[[^\]]*\]\([^)]+\)\n)+)")
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")


def printed(command: str) -> str:
    """What a command prints; it runs in this process, which has imported pandas once for all of them.

    Raises:
        DataError: it fails; with what it said.
    """
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        words = shlex.split(command)
        code = _of_tool(words) if words[0] == "python" else run(words[1:])
    if code:
        raise DataError(f"This command fails: {command}", more=said.getvalue().splitlines())
    return f"\n{out.getvalue().strip()}\n\n"


def _of_tool(words: Sequence[str]) -> int:
    """Run a script of `TOOLS`; its exit code."""
    try:
        TOOLS[words[1]](words[2:])
    except DaptError as error:
        print(error.message, file=sys.stderr)
        return MISTAKE
    except SystemExit as error:  # of its arguments, which was said
        return int(error.code or 0)
    return 0


def filled(page: str) -> tuple[str, list[str]]:
    """The page with all tables made anew, and the commands whose tables have changed."""
    changed: list[str] = []

    def put(match: re.Match[str]) -> str:
        now = printed(match[2])
        if now != match[3]:
            changed.append(match[2])
        return match[1] + now + match[4]

    return BLOCK.sub(put, page), changed


def read_page(path: Path) -> str:
    """The text of a page with commands whose output stands beneath them.

    Raises:
        DataError: it cannot be read, nothing stands beneath a command there, or it is not known where that ends.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    whole, begun = len(BLOCK.findall(text)), text.count(BEGIN)
    swallowed = any("<!--" in match[3] for match in BLOCK.finditer(text))  # its end is missing, another's was taken
    if swallowed or whole != begun:
        raise DataError(
            f"{path} has {begun} '{BEGIN}', of which {whole} have a command with its arguments above them"
            f"{', and one lacks its' if swallowed else ' and an'} '{END}'. Each needs both."
        )
    if not whole and not DRAWN.search(text) and "<!-- figures -->" in text:
        raise DataError(
            f"The table of {path} is made by tools/demo_figures.py, which trains: see the command above it."
        )
    if not whole and not DRAWN.search(text):
        raise DataError(f"{path} has no command whose output stands beneath it.")
    return text


def pictures(page: str, folder: Path) -> list[Path]:
    """The pictures after the commands that draw figures, as the page in `folder` names them."""
    return [folder / name for drawn in DRAWN.finditer(page) for name in PICTURE.findall(drawn[2])]


def draw(page: str, folder: Path) -> None:
    """Make the pictures of a page in `folder` anew."""
    for command, shown in DRAWN.findall(page):
        with tempfile.TemporaryDirectory() as made:
            printed(f"{command} {made}")
            for picture in (folder / name for name in PICTURE.findall(shown)):
                figure = Path(made) / picture.name
                if not figure.is_file():
                    others = ", ".join(sorted(each.name for each in Path(made).iterdir()))
                    raise DataError(f"{command} makes no {picture.name}, but {others}.")
                write_bytes(picture, figure.read_bytes())


def main() -> None:
    """Fill or check one page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = read_page(options.page)
    page, changed = filled(text)
    folder = options.page.parent
    if options.check:
        wrong = [f"{picture} is missing." for picture in pictures(text, folder) if not picture.is_file()]
        if changed:
            wrong += ["These commands print something else:", *changed]
        print("\n".join(wrong) if wrong else "All tables are as printed.")
        raise SystemExit(bool(wrong))
    write_text(options.page, page)
    draw(text, folder)
    print(f"{len(changed)} of {len(BLOCK.findall(page))} tables changed in {options.page}.")


if __name__ == "__main__":
    from ending import ending

    ending(main)
