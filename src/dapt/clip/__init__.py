"""The frozen CLIP: loading any open_clip model, and running its own blocks with prompts in place."""
