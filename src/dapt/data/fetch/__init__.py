"""Downloading, and unpacking archives."""
