"""Submodular selection on gradients (Iyer et al. 2021, ALT, arXiv 2006.15412; functions as in DeepCore)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dapt.selection.base import SELECTORS, Candidates, Pick, Selector
from dapt.selection.greedy import FacilityLocation, GraphCut, lazy_greedy
from dapt.strict import PartOptions


class SubmodularOptions(PartOptions):
    """Options of Submodular."""

    function: Literal["graph_cut", "facility_location"] = Field("graph_cut", description="What is maximised.")


@SELECTORS.register("submodular")
class Submodular(Selector):
    """Graph cut or facility location of ``0.5 + 0.5 cos(g_i, g_j)``, by lazy greedy."""

    options_type = SubmodularOptions
    options: SubmodularOptions

    def pick(self, part: Candidates, count: int) -> Pick:
        gradients = part.gradients()
        kind = {"graph_cut": GraphCut, "facility_location": FacilityLocation}[self.options.function]
        function = kind(len(part), lambda index: 0.5 + 0.5 * gradients.rows(index).cosines(gradients))
        return Pick(lazy_greedy(function, count))
