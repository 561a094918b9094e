"""What is computed: the prompted CLIP, its classifier, views of an image, and what is read from them."""
