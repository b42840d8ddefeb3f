"""The command line: verbs that ask the studies and show or write the answer.

Exit codes: 0 done; 1 ran and found something wrong (the solver stopped early, a check of ``doctor`` failed, a
file could not be written); 2 bad input, with one sentence on standard error; 130 interrupted by Ctrl-C; 141 when the
reader of a pipe went away. A remark that a man's data contradict each other or the model is part of the answer and
leaves 0.
"""

from leydig.cli.app import main

__all__ = ["main"]
