"""Drawing the rendered scenes."""
