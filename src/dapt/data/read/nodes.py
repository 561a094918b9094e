"""Folders with the photographs in them, as a tree; works on paths alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dapt.data.read.tree import UNREAD


@dataclass
class Node:
    """A folder: its photographs and its folders, by name.

    Attributes:
        path: relative to the top. photos: paths of the photographs directly in it. folders: sub-folders.
        other: whether it holds, at any depth, files that are no photographs.
        unread: why photographs in it, at any depth, are not read; empty where there are none of that kind.
    """

    path: str = ""
    photos: list[str] = field(default_factory=list)
    folders: dict[str, Node] = field(default_factory=dict)
    other: bool = False
    unread: str = ""

    @property
    def filled(self) -> dict[str, Node]:
        """The sub-folders that hold photographs, at any depth."""
        return {name: node for name, node in self.folders.items() if node.any}

    @property
    def any(self) -> bool:
        """Whether it holds a photograph, at any depth."""
        return bool(self.photos) or any(node.any for node in self.folders.values())

    def all(self) -> list[str]:
        """All photographs below it, sorted part by part."""
        found = [*self.photos]
        for node in self.folders.values():
            found += node.all()
        return sorted(found, key=lambda name: name.split("/"))


def tree_of(photos: Sequence[str], folders: Sequence[str] = (), others: Sequence[tuple[str, str]] = ()) -> Node:
    """The tree of these photographs, with the folders there are and other files with the reasons they are not used."""
    top = Node()
    for folder in folders:
        _node(top, folder.split("/"))
    for name, reason in others:
        node = top
        for part in name.split("/")[:-1]:
            node = node.folders.get(part) or Node()
            node.other = True
            node.unread = reason if reason in UNREAD else node.unread
    for name in photos:
        _node(top, name.split("/")[:-1]).photos.append(name)
    return top


def _node(top: Node, parts: Sequence[str]) -> Node:
    node = top
    for part in parts:
        if part not in node.folders:
            node.folders[part] = Node(f"{node.path}/{part}" if node.path else part)
        node = node.folders[part]
    return node


def place(shown: str, path: str) -> str:
    return f"{shown.rstrip('/')}/{path}" if path else shown


def listed(splits: dict[str, str]) -> str:
    order = sorted(splits, key=lambda name: ("train", "val", "test").index(splits[name]))
    return ", ".join(order)
