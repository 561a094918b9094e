"""Masks and outlines as annotation tools export them, on their way into a folder of mask files."""
