"""The option of methods whose training images go through the image tower once for each view."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import MethodOptions


class SavedViewOptions(MethodOptions):
    """How many views of each training image there are."""

    views: int = Field(
        10,
        ge=0,
        le=1000,
        description="Random views of each training image that go through the tower once, and then take turns; "
        "0: new ones in every epoch.",
    )
