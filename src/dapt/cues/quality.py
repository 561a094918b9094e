"""How good a cue is, measured against true masks."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class MaskQuality:
    """Per image: overlap and what is kept.

    Attributes:
        iou: intersection over union with the true foreground.
        foreground_kept: share of the true foreground inside the cue.
        background_kept: share of the true background inside the cue (leaked; 0 is best).
    """

    iou: list[float] = field(default_factory=list)
    foreground_kept: list[float] = field(default_factory=list)
    background_kept: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | int | None]:
        """Means in percent, and the number of images."""

        def mean(values: list[float]) -> float | None:
            return round(100 * sum(values) / len(values), 3) if values else None

        return {
            "images": len(self.iou),
            "iou": mean(self.iou),
            "foreground_kept": mean(self.foreground_kept),
            "background_kept": mean(self.background_kept),
        }

    def summary(self) -> str:
        """One line for people."""
        figures = self.figures()
        if not self.iou:
            return "against true masks: there is none that is neither empty nor full, so there are no figures"
        return (
            f"against {figures['images']} true masks: IoU {figures['iou']}%, foreground kept "
            f"{figures['foreground_kept']}%, background kept {figures['background_kept']}%"
        )


def compare_masks(cue: Tensor, true: Tensor, quality: MaskQuality) -> None:
    """Add one image: bool masks ``[H, W]``. Images whose true mask is empty or full are left out."""
    inside = int(true.sum())
    outside = true.numel() - inside
    if not inside or not outside:
        return
    both = int((cue & true).sum())
    quality.iou.append(both / int((cue | true).sum()))
    quality.foreground_kept.append(both / inside)
    quality.background_kept.append(int((cue & ~true).sum()) / outside)
