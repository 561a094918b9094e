"""Readers of folders, CSV indexes, split files and old caches."""
