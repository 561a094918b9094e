"""Images, classes, splits, few-shot samples and transforms."""
