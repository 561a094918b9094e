"""What the columns of a table are called elsewhere, and which words mean a split."""

from __future__ import annotations

import re

from dapt.data.read.split_names import split_of

# Names as `key` gives them. Of two columns, the one in the earlier group is meant.
IMAGE_KEYS = (
    frozenset({"image"}),
    frozenset(
        "imagepath imagefile imagefilename imagefilepath imagename filename filenames filepath filepaths file files "
        "path paths img imgpath imgfile imgfilename imgname images imgs fname fpath photo photopath picture pic "
        "relpath relativepath pathtoimage pathtofile".split()
    ),
    frozenset("imageid imgid photoid id idcode key uid uuid name".split()),
)
NAME_KEYS = (
    frozenset("classname class label labelname classlabel categoryname targetname finelabel".split()),
    frozenset(
        "category species breed target labels classes tags tag categories diagnosis dx y gt groundtruth annotation "
        "labeltext textlabel".split()
    ),
)
NUMBER_KEYS = frozenset("classid classindex classidx classno classnumber labelid labelidx labelindex targetid".split())
NUMBER_KEYS |= frozenset("categoryid categoryidx categoryindex targetlabel".split())
CLASS_KEYS = NUMBER_KEYS.union(*NAME_KEYS)
PLURAL_KEYS = frozenset("labels classes tags categories".split())  # a cell may hold several
MASK_KEYS = frozenset("maskpath maskfile maskfilename maskname".split())
# Columns of true and false, and the splits that these mean.
FLAG_KEYS = {
    **dict.fromkeys("isvalid isval isvalidation".split(), ("val", "train")),
    **dict.fromkeys("istest istesting".split(), ("test", "train")),
    **dict.fromkeys("istrain istraining istrainingimage istrainimage".split(), ("train", "test")),
}
LOOSE_SPLIT_KEYS = frozenset("set dataset phase".split())  # also of other things
SPLIT_KEYS = LOOSE_SPLIT_KEYS | frozenset("split splits subset datasplit splitname partition usage".split())
SPLIT_KEYS |= frozenset("fold folds foldid foldidx kfold cvfold".split())
_ONES = frozenset({"1", "1.0", "true", "True", "TRUE", "yes", "Yes", "YES"})
_BITS = _ONES | {"0", "0.0", "", "false", "False", "FALSE", "no", "No", "NO"}


def key(column: str) -> str:
    """The name of a column without capitals and what stands between words."""
    return re.sub(r"[\s_.\-]+", "", column).lower()


def split_word(text: str) -> str | None:
    """The split that a word means: train, val or test; None for another word."""
    return split_of(text.strip())


def rank(column: str, groups: tuple[frozenset[str], ...]) -> int:
    """The group that a column belongs to; their number if it belongs to none."""
    return next((place for place, group in enumerate(groups) if key(column) in group), len(groups))


def is_one(cell: str) -> bool:
    """Whether a cell of a column of 0 and 1, or of false and true, says yes."""
    return cell in _ONES


def is_bit(cell: str) -> bool:
    """Whether a cell is one of a column of 0 and 1; an empty one is."""
    return cell in _BITS


def is_number(text: str) -> bool:
    """Whether a cell is a number of any kind."""
    try:
        float(text)
    except ValueError:
        return False
    return True
