"""All classes are known once this module is imported, whoever imports it first."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.objects import class_names


def test_names_are_sorted_words() -> None:
    names = class_names()
    assert names == sorted(names)
    assert len(names) == 24
    assert all(name.isalpha() and name.islower() for name in names)


def test_every_background_is_home_to_several() -> None:
    homes = Counter(OBJECTS[name].home for name in class_names())
    assert len(homes) == 8
    assert min(homes.values()) >= 2


def test_in_a_fresh_process_too() -> None:
    code = "from dapt.demo.drawing.objects import class_names; print(*class_names())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == class_names()
