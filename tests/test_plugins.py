"""Extensions of users: named files and installed packages, in this process and in others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from dapt import plugins
from dapt.config import make_config
from dapt.cues.base import CUES
from dapt.errors import ConfigError
from dapt.methods.base import METHODS
from dapt.plugins import load_plugin
from dapt.runs.train import run_training
from helpers import REPOSITORY, loaded_plugins, make_folder, only_torture, save_tiny_model, unload_plugins

EXAMPLE = Path(__file__).parent / "plugin_example.py"
VISION = {"image_size": 32, "timm_model_name": "dapt_example_vit", "timm_pool": "", "timm_proj": "linear"}


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A model whose image tower is the one that the extension brings, which other modules do not see."""
    before = loaded_plugins()
    load_plugin(EXAMPLE)
    yield save_tiny_model(tmp_path_factory.mktemp("own"), vision_cfg=VISION)
    unload_plugins(keep=before)


def outside(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which knows of no extension."""
    command = [sys.executable, "-m", "dapt", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


TRAIN = ("--method", "suffix", "--dapt", "--cue", "centre", "--set", "cue.share=0.6", "--select", "first")
SMALL = ("--fraction", 0.5, "--shots", 4, "--epochs", 1, "--device", "cpu")


@pytest.mark.long
def test_a_method_a_cue_a_selector_and_a_tower_of_the_user(photos: Path, spec: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    given = [photos, "--plugin", EXAMPLE, "--model", spec, *TRAIN, *SMALL, "--out", out]
    done = outside("train", *given)
    assert done.returncode == 0, done.stderr
    results = json.loads((out / "results.json").read_text())
    assert (results["method"], results["cue"], results["coreset"]["method"]) == ("suffix", "centre", "first")
    assert results["counts"]["cue_usable"] == results["counts"]["train"]
    assert str(EXAMPLE) in (out / "run.yaml").read_text()
    assert json.loads((out / "inputs.json").read_text())["files"]["plugin 1"]
    image = next(photos.rglob("*.png"))
    done = outside("predict", out, image, "--format", "json", "--device", "cpu")  # no option says where the method is
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["predictions"]


@pytest.mark.slow
@pytest.mark.long
def test_names_and_options_of_an_extension_are_listed_and_checked() -> None:
    done = outside("methods", "list", "--plugin", EXAMPLE)
    assert "suffix" in done.stdout
    assert "suffix" not in outside("methods", "list").stdout
    done = outside("methods", "info", "suffix", "--plugin", EXAMPLE, "--model", "ViT-B-32", "--num-classes", 2)
    assert "n_ctx = 2" in done.stdout


def test_a_run_goes_on_only_with_the_same_extension(photos: Path, spec: str, tmp_path: Path, capsys) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("from dapt.methods.base import METHODS\n")
    given = {"data": str(photos), "model": spec, "method": "coop", "shots": 2, "epochs": 1, "device": "cpu"}
    config = make_config({**given, "plugins": [str(mine)], "out": str(tmp_path / "run")})
    run_training(config)
    mine.write_text("from dapt.methods.base import METHODS  # another\n")
    from dapt.runs.load_run import load_run

    load_run(tmp_path / "run", device="cpu")
    assert "mine.py has changed since the run" in capsys.readouterr().err
    from dapt.errors import DataError

    with pytest.raises(DataError, match="plugin 1"):
        run_training(config, resume=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
        ("from dapt.methods.base import METHODS, add_method\nadd_method(METHODS.get('maple'))", "registered twice"),
        ("from dapt.cues.base import CUES, Cue\nCUES.add('gradcam', Cue)", "gradcam"),
    ],
)
def test_extensions_that_cannot_be_used(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text(content)
    before = CUES.get("gradcam"), METHODS.get("maple")
    with pytest.raises(ConfigError, match=said):
        load_plugin(path)
    assert (CUES.get("gradcam"), METHODS.get("maple")) == before
    with pytest.raises(ConfigError, match="no plugin"):
        load_plugin(tmp_path / "none.py")


def test_a_plugin_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "half.py"
    head = "from dapt.cues.base import CUES, Cue\n\n@CUES.register('halfcue')\nclass Half(Cue):\n    pass\n"
    path.write_text(f"{head}\nraise RuntimeError('oops')\n")
    with pytest.raises(ConfigError, match="oops"):
        load_plugin(path)
    assert "halfcue" not in CUES.names()
    path.write_text(head)
    load_plugin(path)
    assert "halfcue" in CUES.names()
    other = tmp_path / "other name.py"
    other.symlink_to(path)
    load_plugin(other)  # the same file


def test_a_plugin_cannot_end_the_program(tmp_path: Path) -> None:
    path = tmp_path / "ends.py"
    path.write_text("import sys\nsys.exit(0)\n")
    with pytest.raises(ConfigError, match="SystemExit"):
        load_plugin(path)


@pytest.mark.long
def test_names_of_dapt_s_own_stay_its_own(tmp_path: Path) -> None:
    """Also where an extension comes first, before the package has looked at its own files."""
    path = tmp_path / "early.py"
    path.write_text("from dapt.selection.base import SELECTORS, Selector\nSELECTORS.add('herding', Selector)\n")
    done = outside("methods", "list", "--plugin", path)
    assert done.returncode == 2
    assert "'herding' is one of dapt's own" in done.stderr


def test_plugins_are_found_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "of_mine.py").write_text("VALUE = 1\n")
    load_plugin("~/of_mine.py")
    assert sys.modules[plugins.module_name(tmp_path / "of_mine.py")].VALUE == 1


@pytest.mark.slow
@pytest.mark.long
def test_a_plugin_that_was_moved_is_named_anew(dapt, photos: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from dapt.methods.base import METHODS, add_variant\nadd_variant(METHODS.get('coop'), 'moved', 'of mine')\n"
    )
    given = ["--method", "coop.moved", "--model", "demo", "--shots", 1, "--epochs", 1, "--device", "cpu"]
    code, _, err = dapt("train", photos, "--plugin", mine, *given, "--out", tmp_path / "run")
    assert code == 0, err
    mine.rename(tmp_path / "elsewhere.py")
    image = next(photos.rglob("*.png"))
    done = outside("predict", tmp_path / "run", image, "--device", "cpu")
    assert done.returncode == 2
    assert "name it with --plugin where it is now" in done.stderr
    done = outside("predict", tmp_path / "run", image, "--plugin", tmp_path / "elsewhere.py", "--device", "cpu")
    assert done.returncode == 0, done.stderr


def test_installed_packages_extend_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (tmp_path / "their_package.py").write_text(
        "from dapt.methods.base import METHODS, add_variant\nadd_variant(METHODS.get('coop'), 'theirs', 'of theirs')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint("theirs", "their_package", plugins.GROUP), EntryPoint("gone", "not_there", plugins.GROUP)]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    plugins.load_installed.cache_clear()
    assert make_config({"data": "-", "method": "coop.theirs"}).recipe.summary == "of theirs"
    assert "The extension gone (not_there) cannot be loaded: ModuleNotFoundError" in capsys.readouterr().err
    assert plugins.installed_plugins() == {"theirs": "their_package", "gone": "not_there"}


@pytest.mark.slow
@pytest.mark.long
def test_the_example_of_the_page(photos: Path, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "plugins.md").read_text("utf-8")
    (tmp_path / "mine.py").write_text(page.split("```python\n")[1].split("```")[0])
    given = ["--method", "after_name", "--dapt", "--cue", "centre", "--select", "first", "--model", "demo"]
    done = outside("train", photos, "--plugin", tmp_path / "mine.py", *given, *SMALL, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "results.json").read_text())["method"] == "after_name"


@pytest.mark.slow
@pytest.mark.long
def test_the_data_set_of_the_page(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "plugins.md").read_text("utf-8")
    (tmp_path / "data.py").write_text(page.split("```python\n")[2].split("```")[0])
    folder = tmp_path / "root" / "pets_at_work" / "images"
    folder.mkdir(parents=True)
    for number, source in enumerate(sorted(make_folder(tmp_path / "photos", per_class=3, classes=2).rglob("*.png"))):
        shutil.copy(source, folder / f"{'cat' if number < 3 else 'dog'}_{number:02d}.png")
    given = ["pets_at_work", "--root", tmp_path / "root", "--plugin", tmp_path / "data.py"]
    assert outside("data", "verify", *given).returncode == 0
    short = ["--method", "zero_shot", "--model", "demo", "--device", "cpu", "--out", tmp_path / "run"]
    done = outside("train", *given, *short)
    assert done.returncode == 0, done.stderr
    counts = json.loads((tmp_path / "run" / "results.json").read_text())["counts"]
    assert (counts["train"], counts["test"], counts["classes"]) == (4, 2, 2)


@pytest.mark.slow
@pytest.mark.long
@only_torture
def test_spawned_processes_know_the_extension(photos: Path, spec: str, tmp_path: Path) -> None:
    given = [photos, "--plugin", EXAMPLE, "--model", spec, *TRAIN, *SMALL]
    done = outside("train", *given, "--devices", 2, "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    done = outside("train", *given, "--protocol", "few_shot", "--over", "2,4", "--jobs", 2, "--out", tmp_path / "jobs")
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "jobs" / "protocol.json").read_text())["rows"]) == 2
