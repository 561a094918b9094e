"""Trackers: services and stores of others that follow runs (Weights & Biases, MLflow, trackio)."""
