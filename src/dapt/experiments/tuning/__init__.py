"""`dapt tune`: a search for settings, judged by validation images alone."""
