"""What selectors look at, kept for the next run of a group that looks at the same."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from dapt.config import RunConfig
from dapt.console import say

if TYPE_CHECKING:
    from dapt.runs.run_data import RunData
    from dapt.selection.base import Candidates

MOST = 3
# settings that decide what is chosen, how it is trained on or where it goes, not what the untrained model sees
_UNREAD: dict[str, Any] = {
    **dict.fromkeys(("out", "select", "fraction", "dapt", "cue", "epochs", "stop_margin", "stop_share"), True),
    **dict.fromkeys(("masks", "mask_format", "mask_name", "mask_background"), True),
    "selection": {"balanced", "legacy", "options"},
}


class CandidateCache:
    """The latest `MOST` sets of candidates.

    Runs on several fractions of the same images, or with and without DAPT, look at the same features, and forgotten
    images are counted in the same training. It lives as long as the group, so images on disk may change afterwards.
    """

    def __init__(self) -> None:
        self._found: OrderedDict[str, Candidates] = OrderedDict()

    def get(
        self, config: RunConfig, data: RunData, detail: tuple[object, ...], make: Callable[[], Candidates]
    ) -> Candidates:
        """Candidates of an earlier run with the same images and settings, else what `make` returns.

        Args:
            detail: what else decides what is seen.
        """
        parts = [[part.names, part.labels, [item.name for item in part.items]] for part in (data.train, data.val)]
        text = json.dumps([config.model_dump(mode="json", exclude=_UNREAD), parts, detail], allow_nan=False)
        key = sha256(text.encode()).hexdigest()
        if key in self._found:
            say("The selection looks at what an earlier run has seen.")
        else:
            self._found[key] = make()
        self._found.move_to_end(key)
        while len(self._found) > MOST:
            self._found.popitem(last=False)
        return self._found[key]
