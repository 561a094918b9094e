"""The processor of this machine: its name, and the instruction sets that decide which products are fast on it."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

INFO = Path("/proc/cpuinfo")  # of Linux
OF_VECTORS = ("sse4", "avx", "fma", "f16c", "amx")  # beginnings of the names of their instruction sets


def processor_name() -> str:
    """What its maker calls it, as far as the system tells; processors in virtual machines may have shortened names."""
    return _fields(INFO).get("model name") or platform.processor() or platform.machine() or "unknown processor"


def vector_instructions() -> tuple[str, ...]:
    """Its instruction sets for vectors and matrices, sorted; empty where the system does not tell."""
    flags = _fields(INFO).get("flags", "").split()
    return tuple(sorted({flag for flag in flags if flag.startswith(OF_VECTORS)}))


def is_x86() -> bool:
    """Whether it is one of Intel's or AMD's kind."""
    return platform.machine().lower() in ("x86_64", "amd64")


@lru_cache
def _fields(info: Path) -> dict[str, str]:
    """The fields of the first of its cores; empty where there is no such file."""
    found: dict[str, str] = {}
    try:
        with info.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, colon, value = line.partition(":")
                if not colon:
                    break
                found[name.strip()] = value.strip()
    except OSError:
        return {}
    return found
