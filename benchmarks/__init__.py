"""Speed of this project beside other solvers; see README.md, which the run writes."""
