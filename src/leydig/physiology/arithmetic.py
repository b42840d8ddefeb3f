"""Shared helpers of the equations: arithmetic only, so they run on floats, arrays and symbols alike."""


def positive(value, floor):
    """``value`` for values well above ``floor``, never below it: (x + sqrt(x^2 + 4 floor^2)) / 2.

    Smooth, so that a solver may step slightly below zero, and a logarithm, quotient or power of an
    absent hormone stays finite. At ``value = 1`` the relative error is ``floor**2``.
    """
    return (value + (value * value + 4 * floor * floor) ** 0.5) / 2


def hill(value, half, steepness):
    """Saturating rise x^n / (x^n + K^n), between 0 and 1; ``value`` and ``half`` share a unit."""
    return value**steepness / (value**steepness + half**steepness)


def shortfall(value, half, steepness):
    """What is missing, 1 / (1 + (x/K)^n): 1 when there is none, towards 0 when there is plenty."""
    return 1 / (1 + (value / half) ** steepness)


def saturating(value, half, steepness):
    """Hill curve scaled to 1 at ``value = 1``; its ceiling is 1 + K^n."""
    return (1 + half**steepness) * hill(value, half, steepness)


def loss(value, rate):
    """First-order loss or exchange, in the value's unit per hour."""
    return rate * value
