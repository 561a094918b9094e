"""Masks in files: formats, and where collections keep them."""
