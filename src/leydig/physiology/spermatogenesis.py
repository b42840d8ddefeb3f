"""Spermatogenesis: germ cells under FSH and intratesticular testosterone, ducts, ejaculate.

Two control points: commitment of spermatogonia (slow, both hormones) and release of spermatids
(fast, mostly testosterone). Every stage is relative to what a normal testis holds.
"""

from typing import NamedTuple

from leydig.physiology.arithmetic import positive, saturating


class State(NamedTuple):
    spermatogonia: float  # 1
    release_gate: float  # 1
    germ_cells_1: float  # 1, preleptotene spermatocytes ...
    germ_cells_2: float
    germ_cells_3: float
    germ_cells_4: float
    germ_cells_5: float
    germ_cells_6: float
    germ_cells_7: float
    germ_cells_8: float  # 1, ... to elongated spermatids
    ducts_1: float  # 1, rete and head of the epididymis ...
    ducts_2: float
    ducts_3: float  # 1, ... to what is ejaculated


class Parameters(NamedTuple):
    commitment_without_hormones: float  # 1
    commitment_by_FSH: float  # 1
    commitment_by_testosterone: float  # 1; what is left to 1 needs both
    FSH_half: float  # 1, of normal FSH
    testosterone_half: float  # 1, of normal intratesticular testosterone
    commitment_steepness: float  # 1
    release_half: float  # 1
    release_steepness: float  # 1
    FSH_in_release: float  # 1, testosterone that one normal FSH stands for in release
    spermatogonia_time: float  # h
    germ_cell_time: float  # h, spermatocyte to elongated spermatid
    gate_time: float  # h
    duct_time: float  # h
    normal_FSH: float  # IU/L
    normal_intratesticular_testosterone: float  # nmol/L
    hormone_floor: float  # 1
    motility_slope: float  # 1, log odds of motility per log of relative output
    morphology_slope: float  # 1


class Capacity(NamedTuple):
    """What is a man's own, by inversion from his baseline."""

    sensitivity: float  # 1, multiplies both hormones
    ceiling: float  # 10^6/mL, concentration at the commitment and release of a normal man
    sertoli: float  # 1, Sertoli capacity left by disease
    volume: float  # mL
    motility: float  # %, at rest
    morphology: float  # %, at rest
    output: float  # 1, commitment times release at rest


class Signals(NamedTuple):
    FSH: float  # IU/L, own and given
    intratesticular_testosterone: float  # nmol/L


def commitment(FSH, testosterone, p: Parameters):
    """Commitment of spermatogonia, 1 in a normal man, at most (1 + K^2); both hormones relative to normal.

    c = c_0 + c_F g(f) + c_A g(a) + c_FA g(f) g(a), shares summing to 1, g saturating with g(1) = 1.
    """
    by_FSH = saturating(positive(FSH, p.hormone_floor), p.FSH_half, p.commitment_steepness)
    by_testosterone = saturating(positive(testosterone, p.hormone_floor), p.testosterone_half, p.commitment_steepness)
    both = 1 - p.commitment_without_hormones - p.commitment_by_FSH - p.commitment_by_testosterone
    return (
        p.commitment_without_hormones
        + p.commitment_by_FSH * by_FSH
        + p.commitment_by_testosterone * by_testosterone
        + both * by_FSH * by_testosterone
    )


def release(FSH, testosterone, p: Parameters):
    """Share of spermatids released, 1 in a normal man: a saturating function of a + phi f."""
    drive = (testosterone + p.FSH_in_release * FSH) / (1 + p.FSH_in_release)
    return saturating(positive(drive, p.hormone_floor), p.release_half, p.release_steepness)


def relative_hormones(capacity: Capacity, p: Parameters, s: Signals):
    """FSH and intratesticular testosterone over normal, as this man's germ cells sense them."""
    return (
        capacity.sensitivity * s.FSH / p.normal_FSH,
        capacity.sensitivity * s.intratesticular_testosterone / p.normal_intratesticular_testosterone,
    )


def move(content, time):
    """Flow out of a stage, per hour."""
    return content / time


def derivatives(state: State, capacity: Capacity, p: Parameters, s: Signals) -> State:
    """Rates of change per hour.

    dB/dt   = + commit - divide
    dQ/dt   = + open - close
    dG1/dt  = + enter - mature;  dGi/dt = + mature before - mature
    dD1/dt  = + spermiate - transport;  dDj/dt = + transport before - transport

    ``enter`` is divide on the scale of the germ cells, ``spermiate`` is Q G8 on that of the ducts;
    what is not released is phagocytosed. Volume and days per stage do not depend on hormones.
    Source: structure fitted to suppression, recovery and selective replacement of gonadotropins.
    """
    FSH, testosterone = relative_hormones(capacity, p, s)
    germ = (
        state.germ_cells_1,
        state.germ_cells_2,
        state.germ_cells_3,
        state.germ_cells_4,
        state.germ_cells_5,
        state.germ_cells_6,
        state.germ_cells_7,
        state.germ_cells_8,
    )
    ducts = (state.ducts_1, state.ducts_2, state.ducts_3)
    germ_time, duct_time = p.germ_cell_time / len(germ), p.duct_time / len(ducts)
    into_germ = (state.spermatogonia, *germ[:-1])
    into_ducts = (state.release_gate * germ[-1], *ducts[:-1])
    return State(
        +move(commitment(FSH, testosterone, p), p.spermatogonia_time) - move(state.spermatogonia, p.spermatogonia_time),
        +move(release(FSH, testosterone, p), p.gate_time) - move(state.release_gate, p.gate_time),
        *(+move(enters, germ_time) - move(stays, germ_time) for enters, stays in zip(into_germ, germ, strict=True)),
        *(+move(enters, duct_time) - move(stays, duct_time) for enters, stays in zip(into_ducts, ducts, strict=True)),
    )


def at_rest(capacity: Capacity, p: Parameters, s: Signals) -> State:
    """State in which every derivative is zero at the hormones in ``s``."""
    FSH, testosterone = relative_hormones(capacity, p, s)
    committed, released = commitment(FSH, testosterone, p), release(FSH, testosterone, p)
    return State(committed, released, *[committed] * 8, *[committed * released] * 3)


# Semen -------------------------------------------------------------------------------------------


def concentration(state: State, capacity: Capacity):
    """Sperm concentration, 10^6/mL."""
    return capacity.ceiling * capacity.sertoli * state.ducts_3


def share_moved(share, relative_output, slope):
    """A percentage whose odds move with output to the power ``slope``; 0 and 100 % stay what they are."""
    moved = share * relative_output**slope
    return 100 * moved / (100 - share + moved)


def motility(state: State, capacity: Capacity, p: Parameters):
    """Total motility, %."""
    relative = positive(capacity.sertoli * state.ducts_3 / capacity.output, p.hormone_floor)
    return share_moved(capacity.motility, relative, p.motility_slope)


def morphology(state: State, capacity: Capacity, p: Parameters):
    """Normal forms, %."""
    relative = positive(capacity.sertoli * state.ducts_3 / capacity.output, p.hormone_floor)
    return share_moved(capacity.morphology, relative, p.morphology_slope)
