"""Whether data is fit to learn from: copies, class names, splits, pictures."""
