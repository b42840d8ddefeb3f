"""Body weight as a man changes it: how much of a change is fat.

The change of weight itself is an input (a lever); this says what it does to fat and lean tissue.
"""

from typing import NamedTuple

from leydig.physiology.arithmetic import positive


class Parameters(NamedTuple):
    fat_share: float  # 1, of weight lost or gained that is fat
    least_fat: float  # 1, of the fat at day 0, where losing fat comes to its end


class Setpoints(NamedTuple):
    """A man's own at day 0."""

    fat_mass: float  # kg
    lean_mass: float  # kg, everything that is not fat


def relative_fat(weight_change, setpoints: Setpoints, p: Parameters):
    """Fat over that at day 0 after a relative change of weight: 1 + share weight / fat, bent so that some is left.

    The leaner a man has become, the more of a further loss is lean tissue. Source: the share is from trials of weight
    loss; the bend is assumed.
    """
    weight = setpoints.fat_mass + setpoints.lean_mass
    straight = 1 + p.fat_share * weight_change * weight / setpoints.fat_mass
    return positive(straight, p.least_fat) / positive(1.0, p.least_fat)


def lean_change(weight_change, setpoints: Setpoints, p: Parameters):
    """Change of lean mass (kg) that comes with a change of weight: what is not fat."""
    weight = setpoints.fat_mass + setpoints.lean_mass
    fat = setpoints.fat_mass * (relative_fat(weight_change, setpoints, p) - 1)
    return weight * weight_change - fat
