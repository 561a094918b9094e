"""Which library multiplies: measured once, kept, and the same for all that belong together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dapt.clip import linear_choice, linear_kept
from dapt.clip.linear import HAS_ONEDNN
from dapt.clip.linear_choice import VARIABLE, Choice, choose, decided_by, forget, from_record, judged
from dapt.clip.linear_times import Product, Times
from dapt.clip.savings import Savings
from dapt.errors import ConfigError

needs_both = pytest.mark.skipif(not HAS_ONEDNN, reason="one library")
PRODUCTS = (Product(4, 8, 8, 2),)


class Clock:
    """Stands for the measurement; counts how often it was asked."""

    def __init__(self, *times: Times) -> None:
        self.times = list(times)
        self.asked = 0

    def __call__(self, products: tuple[Product, ...]) -> Times:
        self.asked += 1
        return self.times[min(self.asked, len(self.times)) - 1]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, in which the clock decides."""
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(linear_choice, "_known", {})
    monkeypatch.setattr(linear_kept, "_told", set())
    return tmp_path / "dapt" / "linear"


def let_measure(monkeypatch: pytest.MonkeyPatch, *times: Times) -> Clock:
    clock = Clock(*times)
    monkeypatch.setattr(linear_choice, "measure", clock)
    return clock


def test_the_faster_one_and_torchs_own_where_they_are_equal() -> None:
    assert judged(Times(90, 100), "measured").onednn
    assert not judged(Times(100, 90), "measured").onednn
    assert not judged(Times(98.5, 100), "measured").onednn
    assert judged(Times(97.9, 100), "measured").onednn


@needs_both
def test_measured_once_then_from_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = let_measure(monkeypatch, Times(2, 1), Times(1, 2))
    assert choose(PRODUCTS) == choose(PRODUCTS) == Choice(False, "measured", 2, 1)
    (path,) = cache.glob("*.json")
    assert json.loads(path.read_text())["about"] == decided_by(PRODUCTS)
    forget()  # as another process
    assert choose(PRODUCTS) == Choice(False, "cache", 2, 1)
    assert clock.asked == 1
    path.unlink()
    forget()
    assert choose(PRODUCTS) == Choice(True, "measured", 1, 2), "measured anew"


@needs_both
def test_what_decides_the_times(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = let_measure(monkeypatch, Times(2, 1))
    choose(PRODUCTS)
    choose((Product(4, 16, 16, 2),))
    monkeypatch.setattr(linear_choice, "processor_name", lambda: "Another")
    forget()
    choose(PRODUCTS)
    monkeypatch.setattr(linear_choice, "vector_instructions", lambda: ("avx",))
    forget()
    choose(PRODUCTS)
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    forget()
    choose(PRODUCTS)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    choose(PRODUCTS)
    assert clock.asked == 6
    about = decided_by(PRODUCTS)
    assert about["blas"]
    assert about["onednn"]
    assert about["torch"] == torch.__version__


@needs_both
def test_a_damaged_file_is_measured_anew(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = let_measure(monkeypatch, Times(2, 1))
    choose(PRODUCTS)
    (path,) = cache.glob("*.json")
    path.write_text(path.read_text()[:40])
    forget()
    assert choose(PRODUCTS).by == "measured"
    forget()
    assert choose(PRODUCTS).by == "cache"
    assert clock.asked == 2
    assert capsys.readouterr().err.count("is damaged") == 1


@needs_both
@pytest.mark.parametrize("home", [True, False])
def test_without_a_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: bool
) -> None:
    clock = let_measure(monkeypatch, Times(2, 1))
    cache.parent.write_text("a file stands in its place")
    if not home:
        monkeypatch.setattr(linear_choice, "times_folder", lambda: None)
    assert choose(PRODUCTS).by == "measured"
    forget()
    assert choose(PRODUCTS).by == "measured"
    assert clock.asked == 2
    assert capsys.readouterr().err.count("is measured by every process") == int(home)


@needs_both
def test_no_clock_where_torch_is_deterministic(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = let_measure(monkeypatch, Times(2, 1))
    torch.use_deterministic_algorithms(True)
    try:
        assert choose(PRODUCTS) == Choice(True, "deterministic")
    finally:
        torch.use_deterministic_algorithms(False)
    assert not clock.asked


def test_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = let_measure(monkeypatch, Times(1, 2))
    monkeypatch.setenv(VARIABLE, "torch")
    assert choose(PRODUCTS) == Choice(False, "fixed")
    monkeypatch.setenv(VARIABLE, "onednn")
    assert choose(PRODUCTS) == Choice(True, "fixed")
    monkeypatch.setenv(VARIABLE, "onedn")
    with pytest.raises(ConfigError, match="DAPT_LINEAR=onedn is no library") as caught:
        choose(PRODUCTS)
    assert "onednn" in caught.value.todo
    assert not clock.asked


def test_nothing_is_measured_where_there_is_one_library(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = let_measure(monkeypatch, Times(2, 1))
    assert choose(()).by == "default"
    monkeypatch.setattr(linear_choice, "HAS_ONEDNN", False)
    assert choose(PRODUCTS) == Choice(False)
    assert not clock.asked
    assert not cache.exists()


def test_noted_and_read_back() -> None:
    for choice in (Choice(True, "measured", 1.5, 2.5), Choice(False, "asked")):
        assert from_record(json.loads(json.dumps(choice.record()))) == choice
    assert from_record(None) is from_record({"onednn": "yes"}) is None


def test_what_is_said_and_noted_in_results() -> None:
    slow = Choice(False, "cache", 12.345, 11)
    assert slow.sentence() is not None
    assert "measured earlier: oneDNN 12.3 ms" in str(slow.sentence())
    assert str(Choice(True, "measured", 1, 2).sentence()).startswith(
        "oneDNN multiplies by the frozen weights (measured: "
    )
    assert Choice(True, "fixed").sentence() is None
    assert slow.facts() == {
        **{"linear_library": "torch", "linear_chosen": "cache"},
        **{"linear_onednn_ms": 12.345, "linear_torch_ms": 11},
    }
    assert Choice(True, "asked").facts() == {"linear_library": "onednn", "linear_chosen": "asked"}


@needs_both
def test_the_first_product_asks_and_it_stays(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = let_measure(monkeypatch, Times(2, 1), Times(1, 2))
    use, x = Savings(products=PRODUCTS), torch.ones(1)
    assert not use.by_onednn(x.double())
    assert not use.by_onednn(x.to("meta"))
    assert not clock.asked
    assert not use.by_onednn(x)
    forget()
    assert not use.by_onednn(x)
    assert clock.asked == 1
    for asked in (True, False):
        assert Savings(onednn=asked, products=PRODUCTS).by_onednn(x) is asked
    use.set_all(True)
    assert use.onednn == "auto"
    use.set_all(False)
    assert use.onednn is False
    assert use != Savings()


PROGRAM = """
import sys
from dapt.clip import linear_choice
from dapt.clip.linear_times import Product, Times
linear_choice.measure = lambda products: __import__("time").sleep(0.3) or Times(*map(float, sys.argv[1:]))
print(linear_choice.choose((Product(4, 8, 8, 2),)).onednn, flush=True)
"""


@needs_both
@pytest.mark.long
def test_two_processes_at_once_agree(cache: Path) -> None:
    """Their clocks do not: the second one waits for the first, and takes what that has found."""
    both = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, *times], stdout=subprocess.PIPE, text=True)
        for times in (("1", "2"), ("2", "1"))
    ]
    answers = [process.communicate(timeout=120)[0] for process in both]
    assert answers[0] == answers[1] != ""
    assert len(list(cache.glob("*.json"))) == 1
