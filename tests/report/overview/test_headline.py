"""What the page says first, whichever way it came out."""

from __future__ import annotations

from made_up import material, pair, run

from dapt.report.overview.headline import headline


def test_what_was_compared_and_that_few_seeds_prove_nothing() -> None:
    compared, finding = headline(material(pair()))
    assert compared == "8 runs of 1 method with and without DAPT on photos, 2 seeds, with demo."
    assert "DAPT comes out better here, in too few pairs to be sure: MaPLe + DAPT is +3.00 points" in finding
    assert "(95% interval +3.00 to +3.00, 2 pairs)" in finding
    assert "none is significant" in finding
    assert "with 2 pairs p cannot be below 0.5" in finding


def test_a_loss_is_called_one() -> None:
    rows = [run(dapt=dapt, seed=seed, **{"test/accuracy": 50.0 - 9 * dapt}) for dapt in (0, 1) for seed in range(5)]
    assert "DAPT comes out worse here" in headline(material([row for row in rows if row["seed"] < 2]))[1]
    assert "DAPT does harm here" in headline(material(rows))[1]


def test_of_the_background_gap_less_is_better() -> None:
    def rows(gap: float) -> list[dict[str, object]]:
        return [
            run(dapt=dapt, seed=seed, kind="audit", **{"audit/original": 80.0, "audit/bg_gap": value})
            for dapt, value in ((False, 20.0), (True, gap))
            for seed in range(5)
        ]

    for gap, verdict in ((15.0, "DAPT helps here: MaPLe + DAPT is -5.00 points"), (25.0, "DAPT does harm here")):
        finding = headline(material(rows(gap)))[1]
        assert verdict in finding
        assert "BG-gap, where less is better" in finding


def test_equal_runs_are_no_lack_of_pairs() -> None:
    rows = [run(dapt=dapt, seed=seed, **{"test/accuracy": 50.0}) for dapt in (0, 1) for seed in range(3)]
    assert "No pair differs, so there is nothing to test." in headline(material(rows))[1]


def test_without_dapt_or_with_one_run() -> None:
    assert "There is no row with DAPT" in headline(material([run()]))[1]
    assert "DAPT was compared once" in headline(material([run(), run(dapt=True)]))[1]


def test_several_rows_are_counted() -> None:
    rows = pair() + pair(method="coop") + [run(method="zero_shot", shots=16)]
    text = " ".join(headline(material(rows)))
    assert "With DAPT 2 of 2 rows are better than their host" in text
