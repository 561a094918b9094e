"""The benchmark data sets of the field, one file each."""
