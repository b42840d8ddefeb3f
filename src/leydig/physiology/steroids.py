"""Testosterone, dihydrotestosterone, estrone and estradiol in blood; SHBG and albumin binding; aromatase by site.

The states are free hormone (clearance acts on it); totals follow from binding. Aromatase works at
three sites with their own substrate: adipose tissue, lean tissue (muscle, skin, brain) and the testis.
"""

from typing import NamedTuple

from leydig.physiology.arithmetic import loss


class State(NamedTuple):
    free_testosterone: float  # nmol/L
    tissue_testosterone: float  # nmol/L, free, in slowly exchanging tissue
    free_dihydrotestosterone: float  # nmol/L
    estrone: float  # pmol/L, total
    free_estradiol: float  # pmol/L
    SHBG: float  # nmol/L


class Parameters(NamedTuple):
    testosterone_SHBG_affinity: float  # L/nmol
    dihydrotestosterone_SHBG_affinity: float  # L/nmol
    estradiol_SHBG_affinity: float  # L/nmol
    testosterone_albumin_ratio: float  # 1, albumin-bound over free
    dihydrotestosterone_albumin_ratio: float  # 1
    estradiol_albumin_ratio: float  # 1
    testosterone_elimination: float  # 1/h
    testosterone_to_tissue: float  # 1/h
    testosterone_from_tissue: float  # 1/h
    adrenal_testosterone_share: float  # 1, of a man's testosterone
    testosterone_clearance: float  # L/h, of total testosterone in the reference man
    reduction_half: float  # nmol/L free testosterone, 5-alpha-reductase
    dihydrotestosterone_elimination: float  # 1/h
    dihydrotestosterone_reference: float  # nmol/L, total, reference man
    dihydrotestosterone_clearance: float  # L/h, of total dihydrotestosterone in the reference man
    androgen_potency: float  # 1, free dihydrotestosterone as free testosterone at the receptor
    estrone_elimination: float  # 1/h
    estrone_reference: float  # pmol/L
    estrone_from_estradiol_share: float  # 1
    estrone_testicular_share: float  # 1, of the androstenedione behind estrone
    estradiol_elimination: float  # 1/h
    estradiol_clearance: float  # L/h, of total estradiol in the reference man
    aromatase_half: float  # nmol/L free testosterone, Michaelis constant
    adipose_share: float  # 1, of peripheral aromatase in a man of reference fat mass
    reference_fat_mass: float  # kg
    testicular_share: float  # 1, of the reference man's estradiol
    estrone_share: float  # 1, of the reference man's estradiol
    testicular_aromatase_half: float  # 1, Michaelis constant over intratesticular testosterone at rest
    SHBG_turnover: float  # 1/h
    SHBG_androgen_effect: float  # 1, rise of SHBG without androgen
    SHBG_adiposity_exponent: float  # 1, fall of SHBG with fat mass
    reference_testosterone: float  # nmol/L, total, young reference man
    reference_estradiol: float  # pmol/L, total
    reference_SHBG: float  # nmol/L
    testicular_share_low: float  # 1, limits of the testicular share in any man
    testicular_share_high: float  # 1
    estrone_share_limit: float  # 1, largest factor by which low estradiol raises the estrone share
    other_share_high: float  # 1, most of a man's estradiol that testis and estrone make together


class Capacity(NamedTuple):
    """What is a man's own, by inversion from his baseline."""

    free_testosterone: float  # nmol/L at rest
    free_dihydrotestosterone: float  # nmol/L at rest
    estrone: float  # pmol/L at rest
    free_estradiol: float  # pmol/L at rest
    SHBG: float  # nmol/L at rest
    adipose_fraction: float  # 1, of his peripheral aromatase, grows with his fat mass
    adipose_aromatase: float  # 1, share of his estradiol made in fat
    lean_aromatase: float  # 1, share made in muscle, skin and brain
    estrone_route: float  # 1, share made through estrone
    testicular_aromatase: float  # 1, share made in the testis
    aromatase: float  # 1, activity left (0) or gained by a lesion of the enzyme
    free_clearance_testosterone: float  # L/h of free hormone
    free_clearance_dihydrotestosterone: float  # L/h of free hormone
    free_clearance_estradiol: float  # L/h of free hormone


class Signals(NamedTuple):
    testicular_testosterone: float  # 1, intratesticular testosterone over that at rest
    adrenal: float  # 1, adrenal steroid output over that at rest
    testosterone_input: float  # nmol/h given
    dihydrotestosterone_input: float  # nmol/h given
    estradiol_input: float  # nmol/h given
    adipose_inhibition: float  # 1, inhibitor over its constant in fat
    lean_inhibition: float  # 1, the same in muscle, skin and brain
    testicular_inhibition: float  # 1, the same in the testis
    peripheral_enzyme: float  # 1, active aromatase outside the testis over that without drug
    testicular_enzyme: float  # 1, the same in the testis
    fat_mass: float  # 1, relative to the man's own at baseline


# Binding -----------------------------------------------------------------------------------------


def taken_sites(free_testosterone, more_dihydrotestosterone, p: Parameters):
    """1 + sites of SHBG taken over open ones: by testosterone, and by free DHT beyond his own at rest (nmol/L).

    What his own DHT takes at rest is part of the binding that was measured.
    """
    by_DHT = p.dihydrotestosterone_SHBG_affinity * more_dihydrotestosterone
    return 1 + p.testosterone_SHBG_affinity * free_testosterone + by_DHT


def total_testosterone(free, SHBG, p: Parameters, more_dihydrotestosterone=0.0):
    """Total from free testosterone, nmol/L: free, albumin-bound and SHBG-bound."""
    sites = taken_sites(free, more_dihydrotestosterone, p)
    return free * (1 + p.testosterone_albumin_ratio) + SHBG * p.testosterone_SHBG_affinity * free / sites


def free_testosterone(total, SHBG, p: Parameters):
    """Free from total testosterone, nmol/L: the positive root of the binding quadratic."""
    affinity, loose = p.testosterone_SHBG_affinity, 1 + p.testosterone_albumin_ratio
    middle = loose + affinity * SHBG - affinity * total
    # the form without cancellation when testosterone is low
    return 2 * total / (middle + (middle * middle + 4 * affinity * loose * total) ** 0.5)


def bioavailable_testosterone(free, p: Parameters):
    """Free plus albumin-bound testosterone, nmol/L."""
    return free * (1 + p.testosterone_albumin_ratio)


def total_estradiol(free, free_testosterone, SHBG, p: Parameters, more_dihydrotestosterone=0.0):
    """Total from free estradiol, same unit; androgens hold most of the SHBG sites it shares."""
    open_sites = SHBG / taken_sites(free_testosterone, more_dihydrotestosterone, p)
    return free * (1 + p.estradiol_albumin_ratio + p.estradiol_SHBG_affinity * open_sites)


def total_dihydrotestosterone(free, free_testosterone, SHBG, p: Parameters, more_dihydrotestosterone=0.0):
    """Total from free dihydrotestosterone, nmol/L."""
    open_sites = SHBG / taken_sites(free_testosterone, more_dihydrotestosterone, p)
    return free * (1 + p.dihydrotestosterone_albumin_ratio + p.dihydrotestosterone_SHBG_affinity * open_sites)


def androgen(free_testosterone, free_dihydrotestosterone, p: Parameters):
    """What the androgen receptor sees, as nmol/L of free testosterone."""
    return free_testosterone + p.androgen_potency * free_dihydrotestosterone


def aromatising_tissue(fat_mass, p: Parameters):
    """Fat (kg) and lean tissue that aromatise, over the reference man's; lean tissue stays the same."""
    return p.adipose_share * fat_mass / p.reference_fat_mass + 1 - p.adipose_share


def adipose_fraction(fat_mass, p: Parameters):
    """Share of a man's peripheral aromatase that sits in his fat (kg)."""
    return p.adipose_share * fat_mass / p.reference_fat_mass / aromatising_tissue(fat_mass, p)


# Fluxes ------------------------------------------------------------------------------------------


def secretion(capacity: Capacity, p: Parameters, s: Signals):
    """Testosterone from testis and adrenal, nmol/L/h of free hormone."""
    made = (1 - p.adrenal_testosterone_share) * s.testicular_testosterone + p.adrenal_testosterone_share * s.adrenal
    return p.testosterone_elimination * capacity.free_testosterone * made


def given(amount, elimination, clearance):
    """Hormone given, as a rise of its free concentration per hour."""
    return elimination * amount / clearance


def reduction(free_testosterone, capacity: Capacity, p: Parameters):
    """Dihydrotestosterone made by 5-alpha-reductase, nmol/L/h: Michaelis-Menten, its own amount at rest."""
    at_rest = capacity.free_testosterone / (p.reduction_half + capacity.free_testosterone)
    now = free_testosterone / (p.reduction_half + free_testosterone)
    return p.dihydrotestosterone_elimination * capacity.free_dihydrotestosterone * now / at_rest


def estrone_from_androstenedione(capacity: Capacity, p: Parameters, s: Signals):
    """Estrone made outside the testis from adrenal and testicular androstenedione, pmol/L/h."""
    precursor = (1 - p.estrone_testicular_share) * s.adrenal + p.estrone_testicular_share * s.testicular_testosterone
    fat = capacity.adipose_fraction * s.fat_mass / (1 + s.adipose_inhibition)
    lean = (1 - capacity.adipose_fraction) / (1 + s.lean_inhibition)
    made = (1 - p.estrone_from_estradiol_share) * precursor * s.peripheral_enzyme * (fat + lean)
    return p.estrone_elimination * capacity.estrone * capacity.aromatase * made


def estrone_from_estradiol(free_estradiol, capacity: Capacity, p: Parameters):
    """Estrone made from estradiol, pmol/L/h."""
    relative = free_estradiol / capacity.free_estradiol
    return p.estrone_elimination * capacity.estrone * p.estrone_from_estradiol_share * relative


def peripheral_aromatisation(free_testosterone, inhibition, share, capacity: Capacity, p: Parameters):
    """Estradiol from testosterone at one site outside the testis, pmol/L/h: competitive inhibition.

    ``share`` of the man's estradiol at rest comes from the site; with much inhibitor it goes to zero.
    """
    at_rest = capacity.free_testosterone / (p.aromatase_half + capacity.free_testosterone)
    now = free_testosterone / (p.aromatase_half * (1 + inhibition) + free_testosterone)
    return p.estradiol_elimination * capacity.free_estradiol * capacity.aromatase * share * now / at_rest


def estradiol_from_estrone(estrone, capacity: Capacity, p: Parameters):
    """Estradiol made from estrone, pmol/L/h; not aromatase, so no inhibitor acts here."""
    made = capacity.estrone_route * estrone / capacity.estrone
    return p.estradiol_elimination * capacity.free_estradiol * made


def testicular_aromatisation(capacity: Capacity, p: Parameters, s: Signals):
    """Estradiol from the testis, pmol/L/h: local testosterone saturates the enzyme and outcompetes the drug."""
    half, substrate = p.testicular_aromatase_half, s.testicular_testosterone
    now = substrate * (1 + half) / (substrate + half * (1 + s.testicular_inhibition))
    made = capacity.aromatase * capacity.testicular_aromatase * s.testicular_enzyme * now
    return p.estradiol_elimination * capacity.free_estradiol * made


def SHBG_made(free_testosterone, capacity: Capacity, p: Parameters, s: Signals):
    """SHBG made by the liver, nmol/L/h: less under androgen and with more fat."""
    effect, relative = p.SHBG_androgen_effect, free_testosterone / capacity.free_testosterone
    made = capacity.SHBG * s.fat_mass**-p.SHBG_adiposity_exponent * (1 + effect) / (1 + effect * relative)
    return p.SHBG_turnover * made


def derivatives(state: State, capacity: Capacity, p: Parameters, s: Signals) -> State:
    """Rates of change per hour; f is free testosterone, h free estradiol.

    df/dt    = + secretion + given - elimination - to tissue + from tissue
    dtis/dt  = + from blood - back to blood
    dDHT/dt  = + reduction + given - elimination
    dE1/dt   = + from androstenedione + from estradiol - elimination
    dh/dt    = + fat + lean tissue + from estrone + testis + given - elimination
    dSHBG/dt = + made - lost

    Assumes that clearance acts on free hormone and that binding is instantaneous.
    Source: binding and clearances from the literature, aromatase shares from this project's fit.
    """
    free = state.free_testosterone
    in_fat = capacity.adipose_aromatase * s.fat_mass * s.peripheral_enzyme
    in_lean = capacity.lean_aromatase * s.peripheral_enzyme
    return State(
        free_testosterone=(
            +secretion(capacity, p, s)
            + given(s.testosterone_input, p.testosterone_elimination, capacity.free_clearance_testosterone)
            - loss(free, p.testosterone_elimination)
            - loss(free, p.testosterone_to_tissue)
            + loss(state.tissue_testosterone, p.testosterone_to_tissue)
        ),
        tissue_testosterone=(
            +loss(free, p.testosterone_from_tissue) - loss(state.tissue_testosterone, p.testosterone_from_tissue)
        ),
        free_dihydrotestosterone=(
            +reduction(free, capacity, p)
            + given(
                s.dihydrotestosterone_input,
                p.dihydrotestosterone_elimination,
                capacity.free_clearance_dihydrotestosterone,
            )
            - loss(state.free_dihydrotestosterone, p.dihydrotestosterone_elimination)
        ),
        estrone=(
            +estrone_from_androstenedione(capacity, p, s)
            + estrone_from_estradiol(state.free_estradiol, capacity, p)
            - loss(state.estrone, p.estrone_elimination)
        ),
        free_estradiol=(
            +peripheral_aromatisation(free, s.adipose_inhibition, in_fat, capacity, p)
            + peripheral_aromatisation(free, s.lean_inhibition, in_lean, capacity, p)
            + estradiol_from_estrone(state.estrone, capacity, p)
            + testicular_aromatisation(capacity, p, s)
            + given(1000 * s.estradiol_input, p.estradiol_elimination, capacity.free_clearance_estradiol)
            - loss(state.free_estradiol, p.estradiol_elimination)
        ),
        SHBG=(+SHBG_made(free, capacity, p, s) - loss(state.SHBG, p.SHBG_turnover)),
    )
