"""Put what the `dapt report` commands of a page print beneath them, as docs/results.md has it.

Usage: python tools/fill_tables.py docs/results.md [--check]

A command is a block of bash that begins with `dapt report`; what it prints stands between the comments that follow it,
`<!-- printed -->` and `<!-- end -->`. With --check nothing is written, and the exit code is 1 where a table is not what
its command prints.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

from dapt.files import write_text

BLOCK = re.compile(r"(```bash\n(dapt report [^\n]+)\n```\n\n<!-- printed -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def printed(command: str) -> str:
    """What a command prints."""
    words = [sys.executable, "-m", "dapt", *shlex.split(command)[1:]]
    done = subprocess.run(words, capture_output=True, text=True, check=False, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stderr}")
    return f"\n{done.stdout.strip()}\n\n"


def filled(page: str) -> tuple[str, list[str]]:
    """The page with all tables made anew, and the commands whose tables have changed."""
    changed: list[str] = []

    def put(match: re.Match[str]) -> str:
        now = printed(match[2])
        if now != match[3]:
            changed.append(match[2])
        return match[1] + now + match[4]

    return BLOCK.sub(put, page), changed


def main() -> None:
    """Fill or check one page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    page, changed = filled(options.page.read_text(encoding="utf-8"))
    if options.check:
        print(
            "\n".join(["These commands print something else:", *changed]) if changed else "All tables are as printed."
        )
        raise SystemExit(bool(changed))
    write_text(options.page, page)
    print(f"{len(changed)} of {len(BLOCK.findall(page))} tables changed in {options.page}.")


if __name__ == "__main__":
    main()
