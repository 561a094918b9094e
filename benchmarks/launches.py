"""How many kernels a step would launch on a GPU, counted without one.

Kernels are the operations that torch dispatches below autograd, of a step of the CUDA profile on the CPU. The rule:

- views, and operations that only make room (``empty`` and its relatives), launch none;
- the optimiser's operations on lists of tensors launch one each;
- fused attention launches one forward and `ATTENTION_BACKWARD` backward, as cuDNN's does on an H100;
- what fills a copy or zeros launches two (`TWO`);
- everything else launches one: torch's few operations of several kernels (a sorting index, a sum in two stages) are
  either not in a step of this profile, or few.

The sizes of tensors do not matter, so a model of the same depth and little width is counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.cases import ARCHITECTURE, case_named, make_work
from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.clip.savings import Profile

FILE = Path(__file__).parent / "launches.json"
COUNTED = ("maple-100", "dapt-lv-100", "dapt-lf-lb-100")
LAYERS = 12
PROFILES: tuple[Profile, ...] = ("cpu", "cuda")
ATTENTION_BACKWARD = 3
TWO = {"slice_backward", "select_backward", "index_add", "index_copy"}  # zeros or a copy, then the operation
NONE = {
    *("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"),
    *("_unsafe_view", "detach", "lift_fresh", "_record_function_enter_new", "_record_function_exit"),
}


class LaunchCounter(TorchDispatchMode):
    """Counts kernels while it is on.

    Attributes:
        count: kernels by operation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.count.values())

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name not in NONE and not func.is_view:
            self.count[name] += _kernels_of(name)
        return result


def _kernels_of(name: str) -> int:
    if "scaled_dot_product" in name and "backward" in name:
        return ATTENTION_BACKWARD
    return 2 if name in TWO else 1


def launches(function: Callable[[], Any]) -> Counter[str]:
    """Kernels of one call by operation."""
    with LaunchCounter() as counter:
        function()
    return counter.count


def narrow_clip() -> FrozenClip:
    """A CLIP as deep as ViT-B/16 in bf16, with next to nothing to compute."""
    sizes = {
        "vision_cfg": {"image_size": 32, "layers": LAYERS, "width": 64, "patch_size": 8, "head_width": 32},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": LAYERS},
    }
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        model = open_clip.model.CLIP(embed_dim=32, quick_gelu=True, cast_dtype=torch.bfloat16, **sizes)
    open_clip.model.convert_weights_to_lp(model, torch.bfloat16)
    preprocess = Preprocess(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    return FrozenClip(model, open_clip.get_tokenizer(ARCHITECTURE), preprocess, "narrow")


def count_launches(profile: Profile = "cuda") -> dict[str, int]:
    """Kernels of a step of `COUNTED`, optimiser included, in bf16, by name."""
    clip = narrow_clip()
    clip.savings.profile, clip.savings.onednn = profile, False
    counted = {}
    for name in COUNTED:
        work = make_work(case_named(name), clip, "ours", foreach=True)
        work.run()  # plans and constants are made
        counted[name] = sum(launches(work.run).values())
    return counted


def measure_launches(tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per step of `COUNTED`: its kernels in the profile of a CPU and in that of a GPU."""
    counted: dict[Profile, dict[str, int]] = {}
    for profile in PROFILES:
        tell(f"kernels of the steps in the profile {profile}, counted")
        counted[profile] = count_launches(profile)
    return [
        {"title": case_named(name).title, **{profile: found[name] for profile, found in counted.items()}}
        for name in COUNTED
    ]


def check_launches(tell: Callable[[str], None]) -> list[str]:
    """Complaints about steps that launch more kernels, or fewer, than recorded."""
    recorded: dict[str, int] = json.loads(FILE.read_text(encoding="utf-8"))
    complaints = []
    for name, count in count_launches().items():
        tell(f"{case_named(name).title}: {count} kernels on a GPU")
        if count != recorded[name]:
            word = "more" if count > recorded[name] else "less"
            complaints.append(f"{name} launches {count} kernels, {word} than the recorded {recorded[name]}.")
    return complaints


def record_launches() -> None:
    """Write the present counts as the budgets."""
    FILE.write_text(json.dumps(count_launches(), indent=1) + "\n", encoding="utf-8")
