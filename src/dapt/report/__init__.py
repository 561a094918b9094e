"""Pages and charts that show runs to people."""
