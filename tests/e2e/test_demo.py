"""`dapt demo` as a user runs it, made small."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from browser import BROWSER, Browser
from dapt.demo.figures import MEASURES
from helpers import only_torture

SMALL = [
    "--seeds", 1, "--shots", 1, "--epochs", 2, "--set", "train_per_class=2", "--set", "test_per_class=2",
    "--set", "size=48", "--set", "dapt.variant=joint", "--jobs", 1,
]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dapt.cli.app import run

    out = tmp_path_factory.mktemp("demo") / "out"
    assert run([str(part) for part in ["demo", "--out", out, *SMALL, "-q"]]) == 0
    return out


class Page(HTMLParser):
    """Collects what a page refers to, its texts by id, and its pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refers: list[str] = []
        self.ids: set[str] = set()
        self.pictures = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        assert tag not in ("script", "link", "iframe")
        self.pictures += tag == "img"
        self.refers += [value for key, value in attrs if key in ("src", "href", "xlink:href") and value]
        if named.get("id"):
            self.ids.add(str(named["id"]))
        if tag == "img":
            assert named.get("alt"), "every picture says what it shows"


def test_results(finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text())
    for kind in ("zero_shot", "host", "dapt"):
        for name in ("test/accuracy", "test/worst_group", "cue/foreground_attention"):
            assert 0 <= results[kind][name] <= 100
            assert results[kind]["seeds"][name] == [pytest.approx(results[kind][name])]
    single = json.loads((finished / "runs" / "dapt-seed1" / "results.json").read_text())
    assert results["dapt"]["test/accuracy"] == single["metrics"]["test/accuracy"]
    assert results["dapt"]["test/worst_group"] == single["per_group"]["exchanged"]
    assert set(single["per_group"]) == {"own", "exchanged"}


def test_page_is_whole_and_self_contained(finished: Path) -> None:
    text = (finished / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    outside = [value for value in page.refers if not value.startswith(("data:", "#"))]
    assert outside == ["https://arxiv.org/abs/2508.00395"]
    assert not re.search(r"@import|url\((?!#)", text)
    assert {"headline", "figures", "zero_shot", "host", "dapt"} <= page.ids
    assert page.pictures == 16 + 8 * 8
    for term in ("L_cls", "L_v", "L_f", "L_b"):
        assert f"<b>{term}</b>" in text
    results = json.loads((finished / "results.json").read_text())
    assert f"{results['dapt']['test/worst_group']:.1f}%" in text
    assert "dapt train photos/" in text
    assert "miniature" in text
    assert text.count("<svg") == text.count("</svg>") >= 5


@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
@pytest.mark.parametrize("width", [420, 1200])
def test_page_in_a_browser(finished: Path, tmp_path: Path, width: int) -> None:
    picture = tmp_path / "page.png"
    probe = (finished / "index.html").read_text(encoding="utf-8").replace(
        "</body>",
        "<script>document.title = JSON.stringify({wide: document.documentElement.scrollWidth, view: innerWidth,"
        " broken: [...document.images].filter(i => !i.naturalWidth).length})</script></body>",
    )  # fmt: skip
    copy = tmp_path / "page.html"
    copy.write_text(probe, encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},3000"]
    command += [f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*command, "--dump-dom", copy.as_uri()], capture_output=True, text=True, timeout=120)
    found = json.loads(re.search(r"<title>(.*?)</title>", done.stdout).group(1).replace("&quot;", '"'))
    assert found["broken"] == 0
    assert found["wide"] <= found["view"], "nothing sticks out sideways"
    subprocess.run([*command, f"--screenshot={picture}", copy.as_uri()], capture_output=True, timeout=120, check=True)
    colours = Image.open(picture).convert("RGB").resize((64, 160)).getcolors(64 * 160)
    assert colours is not None
    assert len(colours) > 200, "a page with pictures, not a blank one"


SIDEWAYS = """[...document.querySelectorAll("*")].filter(e => e.scrollWidth > e.clientWidth + 1
  && getComputedStyle(e).overflowX !== "visible").map(e => e.outerHTML.slice(0, 80))"""
READ = """[...document.querySelectorAll("#figures td, .gallery figure, pre")].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width && (box.left < 0 || box.right > innerWidth + 1);
}).length"""


@pytest.mark.skipif(not BROWSER, reason="no Chromium or Chrome on this machine")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_on_a_telephone(finished: Path, tmp_path: Path, scheme: str) -> None:
    """At 420 pixels neither the page nor a part of it; figures still have their heads, and pictures their names."""
    with Browser(tmp_path / "profile") as browser:
        browser.open(finished / "index.html", 420, scheme)
        assert browser.run("document.documentElement.scrollWidth") <= 420
        assert browser.run(SIDEWAYS) == []
        assert browser.run(READ) == 0
        heads = "[...document.querySelectorAll('#host td')].map(e => getComputedStyle(e, '::before').content)"
        assert browser.run(heads)[1:] == [f'"{head}"' for head in MEASURES.values()]
        named = "[...document.querySelectorAll('.gallery figcaption')].every(e => e.innerText.trim().length > 2)"
        assert browser.run(named)
        browser.open(finished / "index.html", 1200, scheme)
        assert browser.run("getComputedStyle(document.querySelector('#figures thead')).display") != "none"


@pytest.mark.long
def test_an_existing_folder(dapt, finished: Path, tmp_path: Path) -> None:
    code, _, err = dapt("demo", "--out", finished, *SMALL)
    assert code == 2
    assert "--resume" in err
    before = json.loads((finished / "results.json").read_text())
    times = {path: path.stat().st_mtime_ns for path in (finished / "runs").rglob("results.json")}
    (finished / "results.json").unlink()
    code, out, err = dapt("demo", "--out", finished, *SMALL, "--resume")
    assert code == 0, err
    assert "page: " in out
    after = json.loads((finished / "results.json").read_text())
    assert after["dapt"] == before["dapt"]
    assert len(times) == 3
    assert all(path.stat().st_mtime_ns == time for path, time in times.items()), "finished runs were kept"
    code, _, err = dapt("demo", "--out", finished, *SMALL, "--resume", "--shots", 2)
    assert code == 2
    assert "other settings" in err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for extra in ((), ("--overwrite",), ("--resume",)):
        code, _, err = dapt("demo", "--out", tmp_path / "mine", *SMALL, *extra)
        assert code == 2
        assert "holds something else" in err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.long
def test_the_printed_commands_repeat_the_demo(
    dapt, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (finished / "index.html").read_text(encoding="utf-8")
    block = html.unescape(re.findall(r"<pre><code>(.*?)</code></pre>", text, re.S)[0])
    commands = [shlex.split(line) for line in block.strip().splitlines()]
    assert len(commands) == 4
    monkeypatch.chdir(tmp_path)
    for command in commands:
        code, _, err = dapt(*command[1:])
        assert code == 0, err
    for run in ("zero_shot", "host-seed1", "dapt-seed1"):
        here, there = (
            json.loads((folder / "runs" / run / "results.json").read_text()) for folder in (tmp_path, finished)
        )
        assert here["metrics"] == there["metrics"]


@pytest.mark.slow
@pytest.mark.long
def test_interrupted_and_resumed(finished: Path, tmp_path: Path) -> None:
    """SIGTERM while two runs train side by side: their processes end, and --resume gives the uninterrupted figures."""
    command = [sys.executable, "-m", "dapt", "demo", "--out", tmp_path / "o", *map(str, SMALL[:-1]), "2", "-q"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "o").glob("runs/*-seed1/metrics.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--resume" in err
    assert "Traceback" not in err
    assert not (tmp_path / "o" / "results.json").exists()
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    resumed, whole = (json.loads((folder / "results.json").read_text()) for folder in (tmp_path / "o", finished))
    for kind in ("zero_shot", "host", "dapt"):
        for name, value in whole[kind]["seeds"].items():
            assert resumed[kind]["seeds"][name] == pytest.approx(value, abs=0.05)


def test_bad_input(dapt, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below", "/proc/nowhere"):
        code, _, err = dapt("demo", "--out", out, *SMALL)
        assert code == 2, err
        assert "Traceback" not in err
    code, _, err = dapt("demo", "--out", tmp_path / "d", "--method", "mapel")
    assert code == 2
    assert "Did you mean 'maple'" in err
    code, _, err = dapt("demo", "--out", tmp_path / "d", "--set", "dapt.visual_wieght=1")
    assert code == 2
    assert "Did you mean 'visual_weight'" in err
    code, _, err = dapt("demo", "--out", tmp_path / "d", "--method", "zero_shot")
    assert code == 2
    code, _, err = dapt("demo", "--out", tmp_path / "d", "--device", "tpu")
    assert code == 2
    assert "--device auto" in err or "Use auto" in err
    code, _, err = dapt("demo", "--out", tmp_path / "d", "--shots", 17)
    assert code == 2
    assert "too few for 17 shots" in err
    assert not (tmp_path / "d").exists()


@pytest.mark.long
def test_scenes_alone_and_the_same_commands_on_them(dapt, tmp_path: Path) -> None:
    """Draw, train with DAPT, evaluate, predict, explain, measure the Grad-CAM cue: all on the bundled model."""
    scenes, run = tmp_path / "scenes", tmp_path / "run"
    small = ["--set", "scenes=classes", "--set", "train_per_class=2", "--set", "test_per_class=2", "--set", "size=48"]
    code, _, err = dapt("demo", "--data-only", scenes, *small)
    assert code == 0, err
    assert "dapt train" in err
    assert dapt("demo", "--data-only", scenes, *small)[0] == 2
    assert dapt("demo", "--data-only", scenes, *small, "--resume")[0] == 0
    code, _, err = dapt("demo", "--data-only", scenes, *small, "--resume", "--set", "scene_seed=2")
    assert code == 2, "scenes of two seeds are never mixed"
    assert "other settings" in err
    code, _, err = dapt(
        "train", scenes / "index.csv", "--model", "demo", "--dapt", "--shots", 1, "--epochs", 1, "--out", run
    )
    assert code == 0, err
    metrics = json.loads((run / "results.json").read_text())["metrics"]
    assert metrics["test/accuracy"] > 30, "24 classes, a model made for them"
    assert metrics["test/worst_group"] <= metrics["test/accuracy"]
    assert dapt("eval", run)[0] == 0
    picture = next((scenes / "images" / "test" / "car").glob("*.png"))
    code, out, err = dapt("predict", run, picture, "--explain", tmp_path / "looks", "--format", "json", "-q")
    assert code == 0, err
    assert len(json.loads(out)[0]["predictions"]) == 5
    assert (tmp_path / "looks" / f"{picture.stem}.png").is_file()
    code, _, err = dapt(
        "masks", scenes / "index.csv", "--model", "demo", "--split", "train", "--out", tmp_path / "m", "--compare"
    )
    assert code == 0, err
    assert json.loads((tmp_path / "m" / "masks.json").read_text())["against_own_masks"]["images"] == 48


@pytest.mark.slow
@pytest.mark.long
@only_torture
def test_side_by_side_without_home_colour_or_unicode(tmp_path: Path) -> None:
    """Two processes, a terminal that knows ASCII only, no HOME: plain lines and a whole result."""
    keep = {key: value for key, value in os.environ.items() if key not in ("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR")}
    environment = {**keep, "PYTHONIOENCODING": "ascii", "TERM": "dumb", "NO_COLOR": "1", "PYTHONUTF8": "0"}
    arguments = [*SMALL[:-1], 2]
    done = subprocess.run(
        [sys.executable, "-m", "dapt", "demo", "--out", tmp_path / "o", *map(str, arguments)],
        capture_output=True, env=environment, timeout=300,
    )  # fmt: skip
    shown = (done.stdout + done.stderr).decode("ascii")
    assert done.returncode == 0, shown
    assert "\x1b" not in shown
    assert "MaPLe + DAPT" in shown
    assert "page: " in shown
    assert json.loads((tmp_path / "o" / "results.json").read_text())["dapt"]["test/accuracy"] > 0
