"""Grids of runs: one file says which, and all of them are carried out."""
