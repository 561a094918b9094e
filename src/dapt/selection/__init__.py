"""Coreset selection: one file per method. A selector chooses which training images a run may use."""
