"""Readers of folders, tables of images, split files and old caches."""
