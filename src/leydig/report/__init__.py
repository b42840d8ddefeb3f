"""Results as something to read: a single-file HTML report and the figures in it."""
