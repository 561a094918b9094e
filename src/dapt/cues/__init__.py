"""Cues: one file per source of a foreground mask."""
