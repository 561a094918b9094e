"""The vocabulary of open_clip's tokenizer, read once in a process: a tenth of a second, and tests make thousands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from open_clip.tokenizer import SimpleTokenizer


def _stamp(value: Any) -> Any:
    """What tells a vocabulary file from the one that was there before it."""
    if isinstance(value, (str, Path)) and Path(value).is_file():
        found = Path(value).stat()
        return str(value), found.st_size, found.st_mtime_ns, found.st_ino
    return repr(value)


@contextmanager
def vocabularies_kept() -> Iterator[None]:
    """Tokenizers made for the same arguments share what the first of them has read."""
    read: dict[Any, dict[str, Any]] = {}
    usual = SimpleTokenizer.__init__
    signature = inspect.signature(usual)

    def kept(self: SimpleTokenizer, *args: Any, **kwargs: Any) -> None:
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        key = tuple((name, _stamp(value)) for name, value in given.arguments.items() if name != "self")
        if key not in read:
            usual(self, *args, **kwargs)
            read[key] = dict(vars(self))
        vars(self).update(read[key])

    SimpleTokenizer.__init__ = kept
    try:
        yield
    finally:
        SimpleTokenizer.__init__ = usual
