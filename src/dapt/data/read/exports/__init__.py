"""Exports of annotation tools, whose photographs lie in no class folders."""
