"""YAML that may hold anything: plain values come out, all else is refused in one line."""

from __future__ import annotations

import pytest
import yaml

from dapt import yaml_text
from dapt.errors import ConfigError
from dapt.yaml_text import DEEPEST, LONGEST, MOST, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("a: 1\nb: [2.5, true, null, x]", {"a": 1, "b": [2.5, True, None, "x"]}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2}", {"a": {"b": 1}, "c": {"b": 2}}),
        ("day: 2024-01-31", {"day": "2024-01-31"}),  # a date is text: nothing here means a day
        ("'1': x", {"1": "x"}),
        ("é: 'ü'", {"é": "ü"}),
    ],
)
def test_plain_values(text: str, value: object) -> None:
    assert parse_yaml(text, "here") == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"the key 'a' is there twice \(line 3, column 1\)"),
        ("x:\n  1: a", r"keys must be text; put it in quotes \(line 2, column 3\)"),
        ("true: a", "keys must be text"),
        ("? [a]\n: b", "keys must be text"),
        ("a: [1", "line 1"),
        ("a: 1\nb 2\nc: 3", r"could not find expected ':' \(line 2, column 1\)"),
        ("a: 1\nb: [c,\nd: 2\n", r"\(line 4, column 1, in what begins at line 2, column 4\)"),
        ("a: 'x\nb: 1\n", r"in what begins at line 1, column 4\)"),
        ("a: b: c", "mapping values are not allowed here"),
        ("a: 1\n---\nb: 2", "found another document"),
        ("a: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("a: !!set {b}", "could not determine a constructor"),
        ("a: !!binary aGk=", "could not determine a constructor"),
        ("a: !mine 1", "could not determine a constructor"),
        ("a: !!int x", "not valid YAML"),
        ("a: *nobody", "undefined alias"),
        ("a: \x00", "not allowed"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_yaml(text, "The value in --set x")
    assert str(caught.value).startswith("The value in --set x is not valid YAML: ")
    assert len(str(caught.value).splitlines()) == 1


def test_how_deep_and_how_long() -> None:
    def nested(levels: int) -> str:
        return "[" * levels + "]" * levels

    assert parse_yaml(nested(DEEPEST), "x") is not None
    with pytest.raises(ConfigError, match=f"nested more than {DEEPEST} levels deep"):
        parse_yaml(nested(DEEPEST + 2), "x")
    with pytest.raises(ConfigError, match="not valid YAML"):
        parse_yaml(nested(3000), "x")
    with pytest.raises(ConfigError, match=f"x is longer than {LONGEST} characters"):
        parse_yaml(" " * (LONGEST + 1), "x")


def test_aliases_cannot_blow_it_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match=f"more than {MOST} values"):
        parse_yaml("\n".join(lines), "x")
    with pytest.raises(ConfigError, match="x is not valid YAML"):
        parse_yaml("a: &a [*a]", "x")


ANY = [
    "",
    "x",
    "é ü",
    "\U0001f600",
    "a: b",
    "[a, b]",
    "{a: 1, b: [2, x]}",
    "- a\n- b",
    "a:\n  b: 1\n  c: [x, null]",
    "'q'",
    '"d\\n"',
]
ANY += [
    "1e-3",
    "0x1f",
    "1:30",
    "2024-01-31",
    "~",
    "yes",
    "# only\n",
    "a: |\n  x\n  y\n",
    "a: >-\n  x\n\n  y\n",
    "a: b # c",
    "---\na: 1\n",
]
ANY += [
    "http://x: y",
    "a:\tb",
    "a: b\n\tc: d",
    "? a",
    "\ufeffa: b",
    "a: \x85b",
    "[a:b]",
    "a: -",
    "- - - x",
    "a: !x b",
    "x" * 2000 + ": 1",
    "a: \ud800",
]


@pytest.mark.parametrize("text", ANY)
def test_both_loaders_read_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installations differ in whether PyYAML has libyaml."""

    def read() -> object:
        try:
            return parse_yaml(text, "x")
        except ConfigError as error:
            return error.message

    with_libyaml = read()
    monkeypatch.setattr("dapt.yaml_text._Quick", yaml_text._Loader)
    assert read() == with_libyaml


def test_the_quick_loader_is_used_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapt.yaml_text._Loader", None)
    if yaml.__with_libyaml__:
        assert parse_yaml("a: {b: [1, x]}", "x") == {"a": {"b": [1, "x"]}}
