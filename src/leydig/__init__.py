"""leydig: an open simulator of the male hypothalamic-pituitary-gonadal axis."""

__version__ = "0.1.0"
