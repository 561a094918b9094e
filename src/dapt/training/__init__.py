"""Training: the prompted model, the step, the schedule, the loop and its checkpoints."""
