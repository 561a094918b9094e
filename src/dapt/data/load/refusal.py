"""A file that is not read as a picture, and not because it is damaged."""

from __future__ import annotations

SAVE_AS = "Save it as JPEG or PNG, or remove it, or pass --skip-bad to go on without such files."


class Refusal(Exception):  # noqa: N818 it becomes a DataError with the name of the file
    """Why a file is not read.

    Attributes:
        why: completes "the file ...". todo: what the reader can do.
    """

    def __init__(self, why: str, todo: str) -> None:
        super().__init__(why)
        self.why = why
        self.todo = todo
