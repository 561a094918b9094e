"""Where runs were made, and how they are made again."""

from __future__ import annotations

from made_up import material, run

from dapt.report.overview.made_with import command_of, commands, environment

SETTINGS = {"set/data": "photos", "set/method": "maple", "set/seed": 1, "set/shots": 16, "set/epochs": 7.0}


def test_seeds_of_one_setting_are_one_command() -> None:
    rows = [run(seed=seed, **{**SETTINGS, "set/seed": seed, "set/out": f"runs/{seed}"}) for seed in (1, 2)]
    (line,) = commands(material(rows)).code
    assert line.startswith("for seed in 1 2; do dapt train photos")
    assert '--seed "$seed"' in line
    assert "--set epochs=7" in line
    assert line.endswith("; done")


def test_dapt_and_what_a_shell_must_not_read() -> None:
    words = command_of(
        {
            "data": "my photos",
            "method": "maple",
            "seed": 1,
            "dapt.enabled": True,
            "dapt.margin": 2.5,
            "cue.source": "border",
            "plugins": '["mine.py"]',
        }
    )
    assert words[:3] == ["dapt", "train", "my photos"]
    assert words[3:5] == ["--plugin", "mine.py"]
    assert words[-4:] == ["--cue", "border", "--set", "dapt.margin=2.5"]
    assert "dapt.margin=2.5" not in command_of({"method": "maple", "dapt.margin": 2.5})


def test_defaults_are_not_told_however_a_data_frame_holds_them() -> None:
    settings = {"max_pixels": 120.0, "fraction": 1.0, "track_options.wait": 30.0, "crop_scale": "[0.08, 1.0]"}
    settings |= {"skip_bad": False, "flip": 0.25, "deterministic": True}
    rows = [run(**{f"set/{key}": value for key, value in settings.items()}, **SETTINGS)]
    (line,) = commands(material(rows)).code
    assert line.endswith("--set flip=0.25 --set deterministic=true --set epochs=7")
    (line,) = commands(material([run(**{**SETTINGS, "set/fraction": 0.5})])).code
    assert "--set fraction=0.5" in line


def test_versions_with_how_many_runs_had_them() -> None:
    rows = [run(seed=seed, **{"environment/torch": torch}) for seed, torch in enumerate(("2.6", "2.6", "2.7"))]
    assert list(environment(material(rows)).tables[0].rows) == [("torch", "2.6 (2 runs), 2.7 (1 runs)")]
    assert not environment(material([run()])).shown
    assert not commands(material([run()])).shown
