"""How much of a classifier's accuracy hangs on the background: pictures taken apart and put together anew."""
