"""The data sets of the catalog, one file each."""
