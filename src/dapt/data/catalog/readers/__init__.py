"""How the images of catalog data are found and divided, one module per kind of data set."""
