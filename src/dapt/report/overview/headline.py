"""What the page says first: what was compared, and what was found, whichever way it came out."""

from __future__ import annotations

from collections.abc import Sequence

from dapt.report.decimals import DECIMALS, signed
from dapt.report.overview.material import Material
from dapt.report.tables.formats import Shown
from dapt.report.tables.labels import ZERO_SHOT
from dapt.report.tables.significance import Difference
from dapt.wording import counted, listing

LEVEL = 0.05
LISTED = 6
ENOUGH = 5  # pairs; with fewer the interval is hardly more than the least and the greatest of them


def headline(material: Material) -> list[str]:
    """One or two sentences: the finding in the first table that has differences, and how sure it is."""
    compared = _compared(material)
    with_hosts = [each for each in material.shown if each.hosts]
    if with_hosts:
        return [compared, *_of_hosts(with_hosts[0])]
    with_zero = [each for each in material.shown if each.zero]
    if with_zero:
        return [compared, _best(with_zero[0]), *_of_zero_shot(with_zero[0])]
    return [compared, *([_best(material.shown[0])] if material.shown else [])]


def _compared(material: Material) -> str:
    rows = [run.row for run in material.runs]
    methods = {str(row["method"]) for row in rows}
    datas = list(dict.fromkeys(str(row["data"]) for row in rows))
    seeds = {int(row["seed"]) for row in rows}
    backbones = list(dict.fromkeys(str(row["backbone"]) for row in rows))
    on = listing(datas) if len(datas) <= LISTED else counted(len(datas), "data set")
    with_dapt = sum(bool(row.get("dapt")) for row in rows)
    dapt = " without DAPT" if not with_dapt else " with DAPT" if with_dapt == len(rows) else " with and without DAPT"
    short = [each.rstrip("/").rpartition("/")[2] if each.startswith("local-dir:") else each for each in backbones]
    short = list(dict.fromkeys(short))
    of = listing(short) if len(short) <= LISTED else counted(len(short), "backbone")
    return (
        f"{counted(len(rows), 'run')} of {counted(len(methods), 'method')}{dapt} on {on}, "
        f"{counted(len(seeds), 'seed')}, with {of}."
    )


def _of_hosts(shown: Shown) -> list[str]:
    found = {row: gap for row, gap in shown.hosts.items() if shown.grid.cells.get((row, shown.grid.main))}
    found = found or dict(shown.hosts)
    less = shown.grid.main in shown.grid.lower_is_better
    where = f"{shown.grid.title}: {shown.grid.main}{', where less is better' if less else ''}"
    if len(found) == 1:
        row, gap = next(iter(found.items()))
        return [f"DAPT {_verdict(gap, less)}: {row} is {_interval(gap)} from its host ({where}). {_sure([gap])}"]
    up = [row for row, gap in found.items() if (gain := round(gap.mean, DECIMALS)) and (gain < 0) == less]
    sure_up = [row for row, gap in found.items() if gap.pairs > 1 and gap.low > 0]
    sure_down = [row for row, gap in found.items() if gap.pairs > 1 and gap.high < 0]
    best = max(found, key=lambda row: found[row].mean)
    worst = min(found, key=lambda row: found[row].mean)
    told = (
        f"With DAPT {len(up)} of {counted(len(found), 'row')} are better than their host, and "
        f"{_how_many(len(found) - len(up))} not; the 95% interval lies above zero in {len(sure_up)} and below in "
        f"{len(sure_down)} ({where})."
    )
    ends = (
        f"The greatest difference is {_interval(found[best])} ({best}), the least {_interval(found[worst])} ({worst})."
    )
    return [told, f"{ends} {_sure(list(found.values()))}"]


def _of_zero_shot(shown: Shown) -> list[str]:
    sign = -1 if shown.grid.main in shown.grid.lower_is_better else 1
    best = max(shown.zero, key=lambda row: sign * shown.zero[row].mean)
    word = "lowest" if sign < 0 else "greatest"
    return [f"The {word} difference to {ZERO_SHOT} is {_interval(shown.zero[best])} ({best})."]


def _best(shown: Shown) -> str:
    cells = {row: cell for row in shown.grid.rows if (cell := shown.grid.cells.get((row, shown.grid.main)))}
    most = shown.grid.most_seeds(shown.grid.main)
    own = {row: cell for row, cell in cells.items() if not cell.published and cell.seeds == most}
    if not own:
        return f"The first table is {shown.grid.title}."
    sign = -1 if shown.grid.main in shown.grid.lower_is_better else 1
    best = max(own, key=lambda row: sign * own[row].mean)
    text = f"{'Best' if len(own) > 1 else 'Measured'}: {best} with {own[best].mean:.2f}"
    return f"{text} ({shown.grid.title}: {shown.grid.main}). There is no row with DAPT beside its host to compare."


def _verdict(gap: Difference, less: bool) -> str:
    if gap.pairs == 1:
        return "was compared once, which tells nothing about chance"
    good, bad = (gap.high < 0, gap.low > 0) if less else (gap.low > 0, gap.high < 0)
    few = gap.pairs < ENOUGH
    if good:
        return "comes out better here, in too few pairs to be sure" if few else "helps here"
    if bad:
        return "comes out worse here, in too few pairs to be sure" if few else "does harm here"
    return "makes no difference here that can be told from chance"


def _interval(gap: Difference) -> str:
    text = f"{signed(gap.mean)} points"
    if gap.pairs == 1:
        return text
    return f"{text} (95% interval {signed(gap.low)} to {signed(gap.high)}, {gap.pairs} pairs)"


def _sure(gaps: Sequence[Difference]) -> str:
    """What the test says, and whether it could say anything else."""
    tested = [gap.holm for gap in gaps if gap.holm is not None]
    if not tested:
        every = max(gap.pairs for gap in gaps)
        return "No pair differs, so there is nothing to test." if every > 1 else "There are too few pairs for a test."
    good = sum(p < LEVEL for p in tested)
    most = max(gap.pairs for gap in gaps)
    if good:
        return (
            f"By the Wilcoxon test with Holm's correction {_how_many(good)} of {len(tested)} significant (p < {LEVEL})."
        )
    least = 2.0 ** (1 - most)
    never = f"; with {most} pairs p cannot be below {least:.2g}" if least >= LEVEL else ""
    return f"By the Wilcoxon test with Holm's correction none is significant (least p {min(tested):.2g}{never})."


def _how_many(number: int) -> str:
    return f"{number} {'is' if number == 1 else 'are'}"
