"""A run's settings become those of the process."""

from __future__ import annotations

from dapt.config import make_config
from dapt.data.load.pixels import max_megapixels, use_option
from dapt.data.load.reading import Reading, current, use_reading
from dapt.data.load.settings import reading_of, use_settings


def test_settings_of_a_run() -> None:
    config = make_config({"data": "-", "method": "zero_shot", "matte": "#102030", "bits": 12, "max_pixels": 7})
    assert reading_of(config) == Reading("#102030", 12)
    use_settings(config)
    assert (max_megapixels(), current()) == (7, Reading("#102030", 12))
    use_option(None)
    use_reading(Reading())
