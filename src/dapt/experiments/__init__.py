"""Several runs as one piece of work."""
