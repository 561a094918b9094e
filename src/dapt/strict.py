"""What every part of a configuration refuses: unknown keys, numbers and texts that nothing can be done with."""

from __future__ import annotations

import os
import unicodedata
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

LARGEST_FLOAT = 1e38  # float32, in which everything is computed, ends at 3.4e38
LARGEST_INT = 2**63 - 1
DEEPEST = 20  # levels of lists and mappings within a value

Rate = Annotated[float, Field(le=1e6)]  # of which a thousandth is more than anyone has published
Count = Annotated[int, Field(le=1_000_000)]  # of images at a time, of epochs: what is counted up one by one
Megabytes = Annotated[int, Field(le=10**9)]


class Strict(BaseModel):
    """A part of the configuration. Its fields may be bounded more narrowly; these bounds hold for all of them.

    Numbers are finite and of a size that float32 and 64-bit integers have; texts can be file names and be written as
    UTF-8; what is nested is nested a few levels deep.
    """

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and info.field_name in cls.model_fields:
            kinds = kinds_of(cls.model_fields[info.field_name].annotation)
            if kinds & {int, float} and bool not in kinds:
                raise ValueError("it is a number, not true or false")
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _bounded(cls, value: Any) -> Any:
        check_value(value)
        return value


def kinds_of(annotation: Any) -> set[Any]:
    """The types that an annotation allows: those of a union, without what is written beside or within them."""
    if get_origin(annotation) is Annotated:
        return kinds_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return set().union(*map(kinds_of, get_args(annotation)))
    plain = get_origin(annotation) or annotation
    return {plain} if isinstance(plain, type) else set()


class Names(Enum):
    """What the text of an option names, where it is more than a word: such options are marked with it.

    Example: ``Annotated[str | None, Names.SAVED_MODEL]``.
    """

    SAVED_MODEL = "the folder of a finished run, or its prompts file"
    BACKBONE = "a backbone, as --model does"
    SEGMENTER = "the model of a cue: a folder or file, or a name elsewhere"


class PartOptions(Strict):
    """The options of one method, cue or selector; each declares its own type, in the file that it is in."""

    def noted(self) -> dict[str, Any]:
        """What is written beside what they made, to be compared when it is gone on with: all of them."""
        return self.model_dump()

    @classmethod
    def naming(cls, what: Names) -> list[str]:
        """The options that name such a thing."""
        return [name for name, field in cls.model_fields.items() if what in field.metadata]


def check_value(value: Any, depth: int = 0) -> None:
    """Refuse what no setting can mean, at any level of lists and mappings.

    Raises:
        ValueError: it is too large, not finite, no text that can be written, or nested too deeply.
    """
    if depth > DEEPEST:
        raise ValueError(f"lists and mappings are nested more than {DEEPEST} levels deep")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if abs(value) > LARGEST_INT:
            raise ValueError("the number is too large")
    elif isinstance(value, float):
        if not abs(value) <= LARGEST_FLOAT:
            raise ValueError(f"the number must be finite and not beyond {LARGEST_FLOAT:g}")
    elif isinstance(value, dict):
        for key, part in value.items():
            check_value(key, depth + 1)
            try:
                check_value(part, depth + 1)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            check_value(part, depth + 1)


def check_text(text: str) -> None:
    """Refuse text that cannot be written down.

    Raises:
        ValueError: it has a zero byte, or bytes that are no UTF-8 (which Python keeps as surrogates).
    """
    if "\0" in text:
        raise ValueError("the text has a zero byte in it")
    if not is_utf8(text):
        raise ValueError("the text is not valid UTF-8; rename the file or folder")


def is_utf8(text: str) -> bool:
    """Whether `text` can be written as UTF-8: file names that are not valid UTF-8 have surrogates in them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_file_name(text: str) -> bool:
    """Whether a file may be called `text`: UTF-8, or bytes that are none, which Python keeps as surrogates."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def nfc(text: str) -> str:
    """`text` in the Unicode form in which names are compared: macOS writes letters with accents as two characters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def readable(text: str) -> str:
    """`text` with everything that is no UTF-8 written as an escape, for messages."""
    return text.encode("utf-8", "backslashreplace").decode()


def shown(value: object, longest: int = 80) -> str:
    """`value` in a message, cut where it is long."""
    try:
        text = readable(repr(value))
    except (RecursionError, ValueError):  # nested too deeply; more digits than Python writes
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= longest else text[: longest - 3] + "..."
