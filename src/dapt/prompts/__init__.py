"""Prompt architectures: one file each. `Prompts` (value.py) is the plain value they all return."""
