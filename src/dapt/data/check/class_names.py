"""Class names: what a text tower can tell apart and has seen before.

A class is known to CLIP by its name alone. Names that are the same to the tokenizer, ids, numbers and names in letters
that it spells byte by byte say little or nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import NamedTuple

from dapt.clip.tokens import Tokenizer
from dapt.data.check.finding import Finding, Severity, count, grouped
from dapt.errors import NotSupportedError
from dapt.wording import some

SPLIT_NAMES = frozenset(
    "train training trainset train_set val valid validation dev test testing testset test_set eval".split()
)
FOLDER_NAMES = frozenset(
    "images image labels masks annotations photos pictures data dataset jpegimages __macosx".split()
)
GIVE_NAMES = "Give them names in words with --names FILE, or rename them in the data (its folders or its table)."
_NUMBER = re.compile(r"[\d\s.,_#+/-]*\d[\d\s.,_#+/-]*")
_ID = re.compile(
    r"(?:class|label|category|cat|cls|type|id)[\s_-]*\d+"  # class 3
    r"|[a-z]{1,4}[\s_-]?\d{4,}"  # n02113799, img 0042
    r"|(?=.*\d)[0-9a-f]{8,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",  # a hash, a UUID
    re.IGNORECASE,
)
_PREFIX = re.compile(r"(?:\d{1,4}\s*[.)]\s*|0\d{1,3}[\s-]+|n\d{8}[\s-]+)(?=[^\W\d_])")  # 001.cat, n02085620-cat
_JOINED = re.compile(r"(?:[A-Z][a-z]+){2,}")  # AnnualCrop
_BLANKS = re.compile(r"\s\s")  # as __ in the name of a folder
MOST = 0.5
_COPY = re.compile(r"(?:\s*-\s*(?:copy|kopie|copie|copia|копия)|\s*\(\d+\)|\s+copy)(?:\s*\(?\d*\)?)?$", re.IGNORECASE)
SPELLED = 0.8  # tokens per letter from which a name is spelled, not read; English has 0.15 to 0.4, German 0.45
SPELLED_WIDE = 1.05  # for letters that are words or syllables of their own (Chinese, Japanese, Korean)
FEW = 3  # letters of ASCII words that may be spelled: BMW
TEMPLATE = "a photo of a {}."


def name_findings(names: Sequence[str], tokenizer: Tokenizer | None = None, *, official: bool = False) -> list[Finding]:
    """Findings about class names.

    Args:
        tokenizer: of the model that is to read them; None: only what the letters tell.
        official: they are the published names of a data set: only what cannot be told apart is a finding, and a note.
    """
    found = _alike(names, tokenizer)
    if official:
        return [replace(finding, severity="note") for finding in found]
    found += _by_rule(names)
    if tokenizer is not None:
        found += _by_tokens(names, tokenizer)
    return found


def _alike(names: Sequence[str], tokenizer: Tokenizer | None) -> list[Finding]:
    found = []
    told: set[tuple[str, ...]] = set()
    pieces = _pieces(tokenizer)
    if pieces is not None:
        same = _groups(names, pieces)
        told = set(same)
        if same:
            found.append(
                grouped(
                    "same_tokens",
                    "warning",
                    f"{_groups_of(same)} the same to the model, token for token ({_told(same)}): it cannot tell them "
                    "apart.",
                    "Merge them if they mean the same, else give them different names with --names FILE.",
                    same,
                )
            )
    alike = [group for group in _groups(names, plain) if group not in told]
    if alike:
        found.append(
            grouped(
                "alike",
                "warning",
                f"{_groups_of(alike)} alike but for capitals, spaces or Unicode form ({_told(alike)}).",
                "Merge them if they mean the same, else give them different names with --names FILE.",
                alike,
            )
        )
    return found


def _by_rule(names: Sequence[str]) -> list[Finding]:
    found = []
    for rule in _rules(frozenset(names)):
        chosen = tuple(name for name in names if rule.matches(name.strip()))
        if chosen and len(chosen) >= rule.share * len(names):
            what = f"{count(len(chosen), 'class name')} {rule.one if len(chosen) == 1 else rule.several}"
            found.append(
                Finding(
                    rule.kind, rule.severity, f"{what} ({some([_quoted(name) for name in chosen])}).", rule.todo, chosen
                )
            )
    return found


class _Rule(NamedTuple):
    """What is said of names that match."""

    kind: str
    matches: Callable[[str], bool]
    one: str
    several: str
    todo: str
    severity: Severity = "warning"
    share: float = 0.0  # of the classes that have to match, at least


def _rules(names: frozenset[str]) -> list[_Rule]:
    folders = {name for name in names if name.strip().replace(" ", "_").lower() in SPLIT_NAMES | FOLDER_NAMES}
    if {name.strip().lower() for name in folders} == {"train"} and len(names) > 1:
        folders = set()  # the vehicle
    return [
        _Rule(
            "number",
            lambda name: bool(_NUMBER.fullmatch(name)),
            "is a number",
            "are numbers",
            f"A number says nothing. {GIVE_NAMES}",
        ),
        _Rule(
            "id",
            lambda name: bool(_ID.fullmatch(name)) and not _NUMBER.fullmatch(name),
            "is an id, not a name",
            "are ids, not names",
            f"A model reads ids letter by letter and knows none. {GIVE_NAMES}",
        ),
        _Rule(
            "blanks",
            lambda name: bool(_BLANKS.search(name)),
            "has several blanks in a row",
            "have several blanks in a row",
            GIVE_NAMES,
            "note",
        ),
        _Rule(
            "no_letters", lambda name: not any(map(str.isalnum, name)), "has no letter", "have no letter", GIVE_NAMES
        ),
        _Rule(
            "split_name",
            lambda name: name in {folder.strip() for folder in folders},
            "is called like a folder of a split or of files",
            "are called like folders of splits or files",
            "If that is what they are, DATA is not the folder that holds the classes: see docs/data.md for layouts.",
        ),
        _Rule(
            "copy_name",
            lambda name: bool(_COPY.search(name)) and _COPY.sub("", name) in names,
            "is called like a copy of another",
            "are called like copies of others",
            "Move their images into the classes they belong to.",
        ),
        _Rule(
            "prefix",
            lambda name: bool(_PREFIX.match(name)),
            "begins with a number or an id",
            "begin with numbers or ids",
            "They become part of what the model reads. Give the names alone with --names FILE.",
            share=MOST,
        ),
        _Rule(
            "joined",
            lambda name: bool(_JOINED.fullmatch(name)),
            "is several words in one",
            "are several words in one",
            "A model knows words by the spaces between them. Give them with spaces with --names FILE.",
            severity="note",
            share=MOST,
        ),
    ]


def _by_tokens(names: Sequence[str], tokenizer: Tokenizer) -> list[Finding]:
    pieces = _pieces(tokenizer)
    if pieces is None:
        return []
    found = []
    tokens = {name: len(pieces(name)) for name in names}
    spelled = tuple(name for name in names if _spelled(name, tokens[name]))
    if spelled:
        are = "is" if len(spelled) == 1 else "are"
        told = some([f"'{name}', {tokens[name]} tokens" for name in spelled])
        found.append(
            Finding(
                "spelled",
                "warning",
                f"{count(len(spelled), 'class name')} {are} hardly known to this model's text tower, which spells "
                f"{'it' if len(spelled) == 1 else 'them'} in bytes or single letters ({told}).",
                "Give common English names with --names FILE, or use another backbone (for other languages a "
                "multilingual one).",
                spelled,
            )
        )
    room = tokenizer.context_length - 2
    long = tuple(name for name in names if len(pieces(TEMPLATE.format(name.replace("_", " ")))) > room)
    if long:
        has = "has" if len(long) == 1 else "have"
        found.append(
            Finding(
                "too_long",
                "error",
                f"{count(len(long), 'class name')} {has} more tokens than the model takes with '{TEMPLATE}' "
                f"({tokenizer.context_length}): {some([_quoted(name[:40]) for name in long])}.",
                "Training refuses them rather than cut them. Give shorter names with --names FILE.",
                long,
            )
        )
    return found


def _spelled(name: str, tokens: int) -> bool:
    """Whether a name has so many tokens that hardly any of them is more than a byte of a letter."""
    letters = [letter for letter in name if unicodedata.category(letter)[0] in "LM"]
    if not letters or any(map(str.isdigit, name)):
        return False
    foreign = [letter for letter in letters if not letter.isascii()]
    if not foreign:
        return len(letters) > FEW and " " not in name and tokens >= len(letters)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in foreign) > len(foreign) / 2
    return tokens / len(letters) >= (SPELLED_WIDE if wide else SPELLED)


def plain(name: str) -> str:
    """A name without what people do not see as a difference: capitals, Unicode form, underscores, hyphens, spaces."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(re.split(r"[\s_-]+", unicodedata.normalize("NFKC", text).strip()))


def _pieces(tokenizer: Tokenizer | None) -> Callable[[str], tuple[int, ...]] | None:
    """The tokens of a class name as a prompt holds it; None where the tokenizer does not tell."""
    if tokenizer is None:
        return None

    def pieces(name: str) -> tuple[int, ...]:
        return tuple(tokenizer.pieces(name.replace("_", " ")))

    try:
        pieces("a")
    except NotSupportedError:
        return None
    return pieces


def _groups(names: Sequence[str], key: Callable[[str], Hashable]) -> list[tuple[str, ...]]:
    groups: defaultdict[Hashable, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _groups_of(groups: Sequence[tuple[str, ...]]) -> str:
    number = sum(map(len, groups))
    return f"{number} class names are" if len(groups) == 1 else f"{number} class names in {len(groups)} groups are"


def _told(groups: Sequence[tuple[str, ...]]) -> str:
    return some([" = ".join(map(_quoted, group[:4])) for group in groups])


def _quoted(name: str) -> str:
    return f"'{name}'"
