"""Evaluation: accuracy in its variants, and where the model looks."""
