"""The embedded default: rendered scenes, a tiny CLIP trained on them, and the demonstration itself."""
