"""Numerics that know no hormone: inputs in closed form, tracing of equations, solvers, results."""
