"""One file per tracker, which registers itself in `dapt.tracking.base.TRACKERS`; nothing heavy is imported here."""
