"""Names of classes as folders and tables spell them: compared in one Unicode form, put into one order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from dapt.errors import DataError
from dapt.strict import nfc

T = TypeVar("T")

_NUMBER = re.compile(r"[+-]?[0-9]+")


def class_order(names: Iterable[str]) -> list[str]:
    """Class names in label order: sorted, and as numbers where all of them are whole numbers.

    They are compared in NFC, so that a folder has the same labels on every system; what is returned is what was given.
    """
    given = list(names)
    if given and all(map(_NUMBER.fullmatch, given)):
        return sorted(given, key=_number)
    return sorted(given, key=lambda name: (nfc(name), name))


def are_numbers(names: Sequence[str]) -> bool:
    """Whether all of these names are whole numbers, and another order than that of letters follows from it."""
    return bool(names) and all(map(_NUMBER.fullmatch, names)) and class_order(names) != sorted(names)


def said_of_order(ordered: Sequence[str]) -> list[str]:
    """What is to be said of classes in label order: that they are numbers, if so."""
    if not are_numbers(ordered):
        return []
    return [f"The classes are numbers and stand in their order: {', '.join(ordered[:3])}, ... ."]


def in_one_form(classes: Mapping[str, T], where: object) -> dict[str, T]:
    """Classes of a folder by name in NFC.

    Raises:
        DataError: two of them have the same name, written in two Unicode forms.
    """
    found = {nfc(name): value for name, value in classes.items()}
    if len(found) < len(classes):
        twice = Counter(map(nfc, classes)).most_common(1)[0][0]
        raise DataError(
            f"Two class folders of {where} are called '{twice}', in two Unicode forms of the same letters.",
            todo="Put their images into one folder (or rename one of them); most programs show the same name for both.",
        )
    return found


def spelt_alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Names that differ in capitals and spaces only, as groups, each sorted."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(" ".join(nfc(name).casefold().split()), set()).add(name)
    return [tuple(sorted(group)) for group in groups.values() if len(group) > 1]


def _number(name: str) -> tuple[bool, int, str, str]:
    """What sorts digits as numbers, however many they are: Python converts 4300 at most."""
    digits = name.lstrip("+-").lstrip("0")
    if name.startswith("-") and digits:
        turned = digits.translate(str.maketrans("0123456789", "9876543210"))
        return False, -len(digits), turned, name
    return True, len(digits), digits, name
