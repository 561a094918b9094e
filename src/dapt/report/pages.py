"""Self-contained HTML pages from templates: everything inline, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image

from dapt.console import visible
from dapt.files import write_text


def data_uri(picture: Image.Image, *, photo: bool = True) -> str:
    """A picture as a ``data:`` address: JPEG for photographs, PNG for masks and drawings."""
    buffer = io.BytesIO()
    if photo:
        picture.convert("RGB").save(buffer, format="JPEG", quality=85)
    else:
        picture.save(buffer, format="PNG", optimize=True)
    kind = "jpeg" if photo else "png"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def write_page(path: Path, template: str, content: dict[str, Any]) -> None:
    """Fill `template` (a file in ``report/templates``) and write the page, whole or not at all.

    The folder has to be there. Text is escaped, and its control characters are shown as `dapt.console.visible` shows
    them; charts are passed as `markupsafe.Markup`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dapt.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    write_text(path, environment.get_template(template).render(content), make_parents=False)


def _shown(value: Any) -> Any:
    from markupsafe import Markup

    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
