"""What drug concentrations do to their targets: plain arithmetic, from concentration to signal."""

from typing import NamedTuple


class Parameters(NamedTuple):
    anastrozole_constant: float  # ng/mL, total plasma, half-inhibition of aromatase at the sensitive site
    letrozole_constant: float  # ng/mL
    ketoconazole_aromatase_constant: float  # ug/mL
    inhibition_exponent: float  # 1, slope of inhibition against concentration
    lean_resistance: float  # 1, factor on all constants in lean tissue
    testicular_resistance: float  # 1, factor on all constants in the testis, apart from its substrate
    ketoconazole_steroidogenesis_half: float  # ug/mL
    ketoconazole_steepness: float  # 1
    degarelix_half: float  # ng/mL
    degarelix_steepness: float  # 1
    degarelix_maximum: float  # 1, largest share of GnRH action blocked
    testolactone_constant: float  # ng/mL, total plasma
    enclomiphene_constant: float  # ng/mL, total plasma, half of the brain's estrogen receptors taken
    zuclomiphene_constant: float  # ng/mL
    zuclomiphene_agonism: float  # 1, estrogen signal of receptors held by it, over that of a man's own estradiol
    concentration_floor: float  # 1, smallest relative concentration that a power is taken of


class Concentrations(NamedTuple):
    anastrozole: float  # ng/mL
    letrozole: float  # ng/mL
    ketoconazole: float  # ug/mL
    degarelix: float  # ng/mL
    exemestane: float  # ng/mL
    testolactone: float  # ng/mL
    enclomiphene: float  # ng/mL
    zuclomiphene: float  # ng/mL


def raised(relative, exponent, floor):
    """A relative concentration to a power: exactly 0 without drug, finite where rounding falls below 0."""
    return (relative + floor) ** exponent - floor**exponent


def inhibitor_load(c: Concentrations, p: Parameters):
    """All reversible aromatase inhibitors together, as multiples of their constants (they compete for one site)."""
    return (
        c.anastrozole / p.anastrozole_constant
        + c.letrozole / p.letrozole_constant
        + c.ketoconazole / p.ketoconazole_aromatase_constant
        + c.testolactone / p.testolactone_constant
    )


def inhibition(load, resistance, p: Parameters):
    """Inhibition at a site, X in 1/(1 + X): (load / resistance)^gamma, 0 without drug."""
    return raised(load / resistance, p.inhibition_exponent, p.concentration_floor)


def steroidogenesis(c: Concentrations, p: Parameters):
    """Steroid synthesis left under ketoconazole, 1 without."""
    relative = c.ketoconazole / p.ketoconazole_steroidogenesis_half
    return 1 / (1 + raised(relative, p.ketoconazole_steepness, p.concentration_floor))


def gnrh_action(c: Concentrations, p: Parameters):
    """GnRH action left under an antagonist, 1 without: 1 - I C^n / (IC50^n + C^n)."""
    block = raised(c.degarelix / p.degarelix_half, p.degarelix_steepness, p.concentration_floor)
    return 1 - p.degarelix_maximum * block / (1 + block)


def estrogen_seen(free_estradiol, at_rest, c: Concentrations, p: Parameters):
    """Estrogen as the brain's receptors see it under clomiphene, in the unit of ``free_estradiol``.

    (E + a E_0 Z) / (1 + N + Z): both isomers (N, Z: over their constants) take receptors from estradiol;
    enclomiphene keeps them silent, zuclomiphene signals weakly (a, in terms of the man's own estradiol at rest).
    Assumes that estradiol itself fills a small share of the receptors.
    """
    enclomiphene = c.enclomiphene / p.enclomiphene_constant
    zuclomiphene = c.zuclomiphene / p.zuclomiphene_constant
    signal = free_estradiol + p.zuclomiphene_agonism * at_rest * zuclomiphene
    return signal / (1 + enclomiphene + zuclomiphene)
