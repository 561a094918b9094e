"""Names of models that are nearly right: the nearest by spelling, and by family (``ViT-B/16`` is ``ViT-B-16``)."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from dapt.clip.weight_files import check_place, check_weight_file
from dapt.errors import ModelError, did_you_mean
from dapt.paths import LOCAL
from dapt.strict import is_utf8, readable

FORMS = (
    "Use demo (bundled), local-dir:PATH, ARCH/pretrained-tag (such as ViT-B-16/openai), hf-hub:OWNER/NAME or "
    "ARCH:/path/to/weights."
)
_LETTERS = {"small": "s", "base": "b", "large": "l", "huge": "h", "giant": "g", "bigg": "bigg"}
_LONG = re.compile(r"vit-?(small|base|large|huge|giant|bigg)-?(?:patch-?)?(\d+)(?:-?clip)?(?:-?(\d{3}))?(?!\d)")
_PATCHES = re.compile(r"vit-?(s|b|l|h|g|bigg)-?(?:patch|p)-?(\d+)")


def check_spec(spec: str) -> None:
    """Refuse a specification that cannot be loaded: an unknown name, or a folder or file that is not there.

    Nothing is read and no network asked, so that the content of files and names of the hub are taken on trust.

    Args:
        spec: see `dapt.clip.load`, a path in it without ``~``.

    Raises:
        ModelError: naming what was meant, where that can be told.
    """
    if not is_utf8(spec) or "\0" in spec:
        raise ModelError(f"The model {readable(spec)} is not valid UTF-8.", todo="Rename the file or folder.")
    if spec == "demo" or spec.startswith("hf-hub:"):
        return
    if spec.startswith(LOCAL):
        check_place(Path(spec.removeprefix(LOCAL)))
        _check_folder(Path(spec.removeprefix(LOCAL)))
        return
    import open_clip

    if ":" in spec:
        architecture, _, path = spec.partition(":")
        check_place(Path(path))
        check_architecture(architecture, spec)
        if (architecture, path) in open_clip.list_pretrained() and not Path(path).exists():
            raise ModelError(
                f"There is no weight file {path}.", todo=f"For pretrained weights write {architecture}/{path}."
            )
        check_weight_file(Path(path))
    elif "/" in spec:
        architecture, _, tag = spec.partition("/")
        check_architecture(architecture, spec)
        tags = [known for name, known in open_clip.list_pretrained() if name == architecture]
        if tag not in tags:
            raise ModelError(
                f"{architecture} has no pretrained weights '{tag}'.",
                todo=nearest_tag(tag, tags) or f"Use {architecture}:/path/to/weights.",
            )
    else:
        raise unknown_model(spec)


def _check_folder(folder: Path) -> None:
    if folder.is_file():
        raise ModelError(f"{folder} is a file, not a model folder.", todo=f"Name its architecture: ARCH:{folder}.")
    if not folder.is_dir():
        beside = [path.name for path in folder.parent.iterdir() if path.is_dir()] if folder.parent.is_dir() else []
        hint = did_you_mean(folder.name, beside) if beside else ""
        raise ModelError(f"There is no model folder {folder}.", todo=hint or "Check the path after local-dir:.")


def unknown_model(spec: str) -> ModelError:
    """The error for a specification that is in none of the forms."""
    close = nearest(spec)
    there = len(spec) < 1000
    if there and Path(spec).is_dir():
        hint = f"For a folder write local-dir:{spec}. "
    elif there and Path(spec).is_file():
        hint = f"For a weight file name its architecture, too: ViT-B-16:{spec}. "
    elif close and close.partition("/")[0] == spec:
        hint = f"Name the weights too, for example {close}. "
    elif difflib.get_close_matches(spec.lower()[:100], ["demo"], cutoff=0.7):
        hint = "Did you mean demo? "
    else:
        hint = f"Did you mean {close}? " if close else ""
    return ModelError(f"'{spec}' is not a model.", todo=f"{hint}{FORMS}")


def check_architecture(name: str, spec: str) -> None:
    """Refuse an architecture that open_clip does not have.

    Args:
        spec: the specification that it stands in, ``ARCH/tag`` or ``ARCH:FILE``.

    Raises:
        ModelError: naming the nearest.
    """
    import open_clip

    known = open_clip.list_models()
    if name in known:
        return
    rest = spec[len(name) + 1 :]
    if ":" in spec:
        same = _architecture(name)
        todo = f"Did you mean '{same}'?" if same else did_you_mean(name, known)
    elif (len(spec) < 1000 and Path(spec).exists()) or spec.startswith(("/", "./", "../", "~")):
        raise unknown_model(spec)
    elif _key(name) in ("hfhub", "huggingface", "localdir"):
        todo = f"Did you mean {'local-dir' if _key(name) == 'localdir' else 'hf-hub'}:{rest}?"
    elif (close := nearest(spec)) is not None:
        head, _, tag = close.partition("/")
        todo = f"Did you mean '{head if tag == rest else close}'?"
    else:
        todo = (
            did_you_mean(name, known)
            if spec.count("/") > 1
            else (f"For a model of the Hugging Face hub write hf-hub:{spec}. {FORMS}")
        )
    raise ModelError(f"open_clip has no architecture '{name}'.", todo=todo)


def nearest_tag(tag: str, tags: list[str]) -> str:
    """A hint that names the tag that was meant: the same but for its signs, else the nearest by spelling."""
    close = _same_tags(tag, tags)
    return f"Did you mean '{close[0]}'?" if close else did_you_mean(tag, tags)


def _same_tags(tag: str, tags: list[str]) -> list[str]:
    """Tags with the same letters and digits, else those that begin with them."""
    key = _key(tag)
    same = [known for known in tags if _key(known) == key]
    return same or [known for known in tags if len(key) > 3 and _key(known).startswith(key)]


def nearest(spec: str) -> str | None:
    """The specification ``ARCH/tag`` that was meant; None if there is none that is near."""
    import open_clip

    cuts = [place for place, letter in enumerate(spec) if letter in "/:."]
    pairs = [(spec, "")] + [(spec[:place], spec[place + 1 :]) for place in reversed(cuts)]
    pairs += [(tag, head) for head, tag in pairs if tag]
    for head, tag in pairs:  # the same family, however it is spelled
        name = _architecture(head)
        if name is not None:
            return _with_tag(name, tag)
    table = {_key(name): name for name in open_clip.list_models()}
    for head, tag in pairs:  # letters exchanged or left out
        close = difflib.get_close_matches(_key(head), list(table), n=1, cutoff=0.75) if len(head) < 100 else []
        if close:
            return _with_tag(table[close[0]], tag)
    return None


def _architecture(name: str) -> str | None:
    """The architecture whose name has the same letters and digits, also as OpenAI, timm or transformers write it."""
    import open_clip

    table: dict[str, str] = {}
    for known in open_clip.list_models():
        table.setdefault(_key(known), known)
    return table.get(_key(name)) or table.get(_key(_short(name)))


def _short(name: str) -> str:
    """``clip-vit-base-patch16`` as ``vit-b-16``, ``ResNet-50`` as ``RN-50``, ``ViT-L/14@336px`` as ``ViT-L/14-336``."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    text = re.sub(r"^(openai|laion|openclip|open-clip)-", "", text)
    text = re.sub(r"^clip-|-clip$", "", text)
    text = re.sub(r"^resnet-?", "rn", text)
    text = re.sub(r"(\d)px$", r"\1", text)
    long = _LONG.search(text)
    if long:
        size = "" if long[3] in (None, "224") else long[3]
        return f"vit{_LETTERS[long[1]]}{long[2]}{size}"
    return _PATCHES.sub(r"vit\1\2", text)


def _with_tag(name: str, tag: str) -> str:
    import open_clip

    tags = [known for arch, known in open_clip.list_pretrained() if arch == name]
    close = _same_tags(tag, tags) or difflib.get_close_matches(tag.lower()[:100], tags, n=1, cutoff=0.6) if tag else []
    first = ["openai"] if "openai" in tags else tags[:1]
    return "/".join([name, *(close or first)[:1]])


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
