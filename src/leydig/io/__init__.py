"""Translation of results into files that other programs read."""
