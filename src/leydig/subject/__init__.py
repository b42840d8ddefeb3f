"""A man: described (``Subject``), and completed from the baseline population (``complete``, ``draw``)."""

from leydig.subject.completion import Assumption, Completed, Draws, complete, draw
from leydig.subject.man import Lab, Partner, Published, Scan, Semen, Subject, bundled
from leydig.subject.readings import Reading

__all__ = [
    "Assumption",
    "Completed",
    "Draws",
    "Lab",
    "Partner",
    "Published",
    "Reading",
    "Scan",
    "Semen",
    "Subject",
    "bundled",
    "complete",
    "draw",
]
