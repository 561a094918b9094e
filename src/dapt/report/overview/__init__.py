"""The page of `dapt report`: its parts, one module each, and the figures for papers that are the same charts."""
