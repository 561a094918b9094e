"""Import contracts that import-linter does not bring: what is free of heavy packages at import, and no circles.

They are named in ``pyproject.toml`` and run by ``lint-imports``, which is part of ``make check``.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def imported_at_once(module: str) -> set[str]:
    """Names that are imported when `module` is: those outside functions and of ``if TYPE_CHECKING`` blocks."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return set()
    return set(_names(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))))


def _names(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            yield from _names(ast.Module(body=child.orelse, type_ignores=[]))
        else:
            yield from _names(child)


class FreeAtImport(Contract):
    """Importing some packages imports none of the forbidden ones, however indirectly; imports in functions may."""

    type_name = "free_at_import"
    modules = fields.ListField(subfield=fields.StringField())
    forbidden = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Follow the imports of every named module, and of those within named packages but the root package."""
        chains = []
        for name in self.modules:  # type: ignore[attr-defined]
            inside = graph.find_descendants(name) if "." in name else set()
            for module in sorted({name, *inside}):
                chain = self._chain(graph, module)
                if chain:
                    chains.append(chain)
        return ContractCheck(kept=not chains, metadata={"chains": chains})

    def _chain(self, graph: ImportGraph, start: str) -> list[str]:
        seen, waiting = {start}, [[start]]
        while waiting:
            path = waiting.pop()
            for name in sorted(imported_at_once(path[-1])):
                if name.partition(".")[0] in self.forbidden:  # type: ignore[attr-defined]
                    return [*path, name]
                for module in _with_parents(name):
                    if module in graph.modules and module.startswith("dapt") and module not in seen:
                        seen.add(module)
                        waiting.append([*path, module])
        return []

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each chain of imports."""
        for chain in check.metadata["chains"]:
            output.print_error(" -> ".join(chain))


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


class NoCircles(Contract):
    """No module imports itself through others, not even in functions or for types alone."""

    type_name = "no_circles"
    package = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look for a way back along every import."""
        found: list[list[str]] = []
        inside: Any = {self.package, *graph.find_descendants(self.package)}  # type: ignore[arg-type, has-type]
        for module in sorted(inside):
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                back = graph.find_shortest_chain(imported, module) if imported in inside else None
                if back and module == min(back):
                    found.append([module, *back])
        return ContractCheck(kept=not found, metadata={"circles": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each circle."""
        for circle in check.metadata["circles"]:
            output.print_error(" -> ".join(circle))
