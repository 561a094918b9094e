"""The command line: one file per command, no logic beyond arguments, a library call and the exit code.

Nothing here imports torch at the top, so that help is instant.
"""
