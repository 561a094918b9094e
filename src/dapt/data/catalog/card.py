"""The catalog for people: `dapt data list`, `dapt data info` and the table of docs/data.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dapt.console import lines_of, visible
from dapt.data.catalog.base import CATALOG, Dataset, Download, HubFiles, Source
from dapt.data.catalog.places import find_place

SPLITS = ("train", "val", "test")


def overview(root: Path) -> str:
    """All data sets, one line each."""
    head = ("name", "title", "classes", "images", "download", "masks", "on disk")
    rows = [head]
    for name in CATALOG.names():
        dataset = CATALOG.get(name)
        place = find_place(dataset, root)
        found = visible(f"{place.layout.name} ({place.root.relative_to(root).as_posix()})") if place else "-"
        rows.append(
            (
                *(name, dataset.title, f"{dataset.classes:,}", f"{dataset.images:,}"),
                *(size(dataset), masks(dataset), found),
            )
        )
    return lines_of([*_aligned(rows, right=(2, 3, 4)), "", f"data root: {root}"])


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def size(dataset: Dataset) -> str:
    """Size of the download."""
    if dataset.size_mb is None:
        return "unknown"
    return f"{dataset.size_mb} MB" if dataset.size_mb < 1000 else f"{dataset.size_mb / 1000:.1f} GB"


def masks(dataset: Dataset) -> str:
    """Where foreground masks come from."""
    found = []
    if dataset.own_masks:
        found.append(f"own, {dataset.own_masks}" + (", some" if dataset.partly_masked else ""))
    if any(source.what == "masks" for source in dataset.sources):
        found.append("collection")
    return "; ".join(found) or "-"


def card(dataset: Dataset, root: Path) -> str:
    """All that is known about a data set, as lines of text."""
    counts = ", ".join(f"{split} {dataset.counts[split]:,}" for split in SPLITS if split in dataset.counts)
    place = find_place(dataset, root)
    found = f"yes, {place.root} ({place.layout.name})" if place else f"no, not under {root}"
    shows = "; images show several" if dataset.multi_label else ""
    divided = f"{dataset.reader.rule} ({dataset.reader.file})" if dataset.reader.file else dataset.reader.rule
    return lines_of(
        [
            f"{dataset.name}: {dataset.title}",
            f"paper: {dataset.paper}",
            f"homepage: {dataset.homepage}",
            f"licence: {dataset.licence}",
            f"download: {size(dataset)}",
            f"classes: {dataset.classes}{shows}",
            f"images: {dataset.images:,} ({counts})",
            f"divided by: {divided}",
            f"template: {dataset.template}",
            f"masks: {masks(dataset)}" + (f" in {dataset.own_mask_folder}" if dataset.own_masks else ""),
            f"on disk: {found}",
            "may lie under the data root as:",
            *(
                f"  {layout.name}: {'/'.join(filter(None, (layout.folder, layout.images)))}"
                for layout in dataset.layouts
            ),
            "sources, the first that works is taken:",
            *(f"  {_source(source)}" for source in sorted(dataset.sources, key=_order)),
            *(f"note: {note}" for note in dataset.notes),
            f"get it: dapt data download {dataset.name}",
            f"check it: dapt data verify {dataset.name}",
        ]
    )


def _order(source: Source) -> tuple[str, int]:
    return source.what, source.alternative


def _source(source: Source) -> str:
    what = source.what + (f" (alternative {source.alternative})" if source.alternative else "")
    if isinstance(source, Download):
        return f"{what}: {source.url}" + (f" [{source.checksum}]" if source.checksum else "")
    if isinstance(source, HubFiles):
        return f"{what}: Hugging Face {source.repo_type} {source.repo}, files that match {source.pattern}"
    return f"{what}: by hand. {source.instructions}"


def markdown_table() -> str:
    """The table of docs/data.md."""
    head = ("name", "data set", "classes", "train / val / test", "download", "licence", "masks")
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name in CATALOG.names():
        dataset = CATALOG.get(name)
        counts = " / ".join(f"{dataset.counts[split]:,}" if split in dataset.counts else "-" for split in SPLITS)
        title = f"[{dataset.title}]({dataset.homepage})"
        lines.append(
            f"| `{name}` | {title} | {dataset.classes} | {counts} | {size(dataset)} | {dataset.licence} "
            f"| {masks(dataset)} |"
        )
    return "\n".join(lines) + "\n"
