"""One run from its configuration to its results, and what is done with a finished run."""
