"""Where a run begins: the state of a man before day 0, and the inputs that act on him.

An intact, untreated man begins at rest. A diseased man's state is solved for; a man who takes drugs
already is run in on them. Measured values of such a man describe him as he is, so his reference
baseline is moved until the equations return what was measured.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from leydig import men, model, outputs
from leydig.baseline import Baseline, Lesion, personalise
from leydig.engine import reference
from leydig.engine.inputs import InputTable, Segments, evaluate, steady, tabulate
from leydig.engine.trace import build, flatten
from leydig.engine.trace import names as names_of
from leydig.matching import Matched, match
from leydig.pharmacology import drugs, levers
from leydig.pharmacology.kinetics import Event
from leydig.pharmacology.levers import LeverEvent
from leydig.pharmacology.protocol import Protocol
from leydig.physiology import cardiometabolic, wellbeing

HOURS_PER_DAY = 24.0
HOURS_PER_YEAR = 8766.0

Channels = Mapping[str, Sequence[Segments]]
Scale = Mapping[tuple[str, str], float]

STATES = names_of(model.State)
CHANNELS = model.Inputs._fields
SITES = ("bmd_spine", "bmd_hip")
BMD = [STATES.index(f"bone.{site}") for site in SITES]

# Numerics, not physiology: how long a diseased man is followed until he rests; how long a treated one is
# run in (whole weeks and 28-day cycles, so that schedules meet day 0 in step); what counts as missed.
SETTLE_YEARS = 12.0
RUN_IN_DAYS = 448.0
MISS, TRACE = 0.05, 0.02


class Start(NamedTuple):
    """A man ready to be simulated."""

    individual: model.Individual
    state: np.ndarray  # (n states,) at day 0
    baseline: Baseline  # his reference: untreated and intact
    earlier: Channels  # what drugs taken before day 0 still do
    missed: Mapping[str, tuple[float, float]]  # measured values that cannot be reached: measured, reached
    found: Matched | None = None  # how the reference was found, for like men


def channels(events: Sequence[Event], scale: Scale | None = None) -> Channels:
    """Inputs that these drug events make."""
    return {name: [segments] for name, segments in drugs.channels(events, scale).items()}


class Given(NamedTuple):
    """What a protocol gives over a time: doses, and levers that are not drugs."""

    doses: tuple[Event, ...]
    levers: tuple[LeverEvent, ...] = ()


def given(protocol: Protocol, days: float, weekday: int = 0) -> Given:
    """Everything of a protocol before ``days``; ``weekday`` is that of day 0."""
    return Given(tuple(protocol.events(days, weekday)), tuple(protocol.levers(days)))


def driven(what: Given, scale: Scale | None = None) -> Channels:
    """The inputs that doses and levers drive."""
    found = {name: list(parts) for name, parts in channels(what.doses, scale).items()}
    numbers = {
        name: (entry.value or 0.0) * (scale or {}).get((levers.SYSTEM, name), 1.0)
        for name, entry in levers.parameters().items()
    }
    for name, segments in levers.channels(what.levers, numbers).items():
        if segments.constant.any() or segments.slope.any():
            found.setdefault(name, []).append(segments)
    return found


def input_table(age: float, *several: Channels) -> InputTable:
    """All inputs on one grid; age (years at day 0) grows, what no event or lever touches stays as it is."""
    constants = model.Inputs(age=age)
    slopes = model.Inputs(**{**dict.fromkeys(CHANNELS, 0.0), "age": 1 / HOURS_PER_YEAR})
    joined = [[s for part in several for s in part.get(name, ())] for name in CHANNELS]
    return tabulate(joined, list(constants), list(slopes))


def vector(individual: model.Individual) -> np.ndarray:
    """What is constant in the equations, as the generated code takes it."""
    return np.array(flatten(individual), float)


def rest(individual: model.Individual) -> np.ndarray:
    """The state of the untreated, intact reference man."""
    return np.array(flatten(model.at_rest(*individual)), float)


def settle(individual: model.Individual, state: np.ndarray, age: float, compile: bool | None = None) -> np.ndarray:
    """The steady state that an untreated man reaches from ``state``; BMD stays as it is.

    Follows the equations for years, then polishes with Newton steps on everything but BMD.
    """
    traced, constants = model.traced(), vector(individual)
    inputs = steady(list(model.Inputs(age=age)))
    times = np.array([0.0, SETTLE_YEARS * HOURS_PER_YEAR])
    solution = reference.solve(traced, state, constants, inputs, times, compile=compile)
    found = np.array(solution.values[-1])
    found[BMD] = state[BMD]
    moving = np.setdiff1d(np.arange(len(found)), BMD)
    u, rates, jacobian = inputs.constant[0], np.zeros(len(found)), np.zeros((len(found), len(found)))
    for _ in range(3):
        traced.rates(found, constants, u, rates)
        traced.jacobian(found, constants, u, jacobian)
        found[moving] -= np.linalg.solve(jacobian[np.ix_(moving, moving)], rates[moving])
    return found


def begin(
    baseline: Baseline,
    parameters: model.Parameters,
    *,
    lesion: Lesion | None = None,
    taken: Given | None = None,
    measured: Mapping[str, float] | None = None,
    scale: Scale | None = None,
    like: Matched | None = None,
    compile: bool | None = None,
) -> Start:
    """A man at day 0.

    ``baseline`` is his untreated, intact reference. With a lesion or with drugs already taken
    (``taken``: doses and levers at negative hours), ``measured`` are his values as he is; the reference is
    moved until they come out, and what cannot be reached is reported in ``missed``. ``like`` is the
    search of a like man, to start from.
    """
    taken = taken if taken is not None and any(taken) else None
    intact = (lesion is None or lesion == Lesion()) and taken is None
    if intact:
        individual = model.Individual(personalise(baseline, parameters), parameters)
        return Start(individual, rest(individual), baseline, {}, {})
    earlier = driven(taken, scale) if taken else {}
    given = {name: value for name, value in (measured or {}).items() if name in MATCHED}
    names = [name for name, value in given.items() if value > 0]

    def shifted(shift: np.ndarray) -> Baseline:
        factors = dict(zip(names, np.exp(shift), strict=True))
        return baseline._replace(**{name: getattr(baseline, name) * factor for name, factor in factors.items()})

    def reach(shift: np.ndarray) -> np.ndarray:
        who = shifted(shift)
        values = _values(*_as_he_is(who, parameters, lesion, earlier, compile), who, earlier)
        return np.array([values[name] for name in names])

    like = like if like is not None and len(like.shift) == len(names) else None
    found = (
        match([given[name] for name in names], reach, start=like.shift, slope=like.slope)
        if like is not None
        else match([given[name] for name in names], reach)
        if names
        else None
    )
    moved = baseline if found is None else shifted(found.shift)
    individual, state = _as_he_is(moved, parameters, lesion, earlier, compile)
    reached = _values(individual, state, moved, earlier)
    missed = {name: (value, reached[name]) for name, value in given.items() if _misses(name, value, reached, moved)}
    individual = _place_bone(individual, state, moved, measured or {}, lesion)
    as_he_is = {"fat_mass": moved.fat_mass, "lean_mass": moved.lean_mass, **(measured or {})}
    individual = _referenced(individual, state, reached, as_he_is)
    return Start(individual, state, moved, earlier, missed, found)


def _referenced(
    individual: model.Individual, state: np.ndarray, now: Mapping[str, float], measured: Mapping[str, float]
) -> model.Individual:
    """The man whose measured values of what follows the hormones come out at ``state``; ``now`` is what does.

    Volume and quality of semen, bone markers, heart, metabolism and wellbeing do not act back, so his own reference
    values are found in closed form.
    """
    build_state: model.State = build(model.State, state)
    man, p = individual
    germ, bones = man.spermatogenesis, man.bone
    own = {name: value for name, value in measured.items() if value > 0 and now.get(name, 0.0) > 0}
    shares = {"motility": "total_motility", "morphology": "normal_morphology"}
    changed = {part: _moved_share(getattr(germ, part), now[q], own[q]) for part, q in shares.items() if q in own}
    if "semen_volume" in own:
        changed["volume"] = own["semen_volume"]
    markers = {name: getattr(bones, name) * own[name] / now[name] for name in ("CTX", "P1NP") if name in own}
    return individual._replace(
        man=man._replace(
            spermatogenesis=germ._replace(**changed),
            bone=bones._replace(**markers),
            cardiometabolic=cardiometabolic.referenced(man.cardiometabolic, build_state.cardiometabolic, measured),
            wellbeing=wellbeing.referenced(man.wellbeing, build_state.wellbeing, p.wellbeing, measured),
        )
    )


def _moved_share(own: float, now: float, wanted: float) -> float:
    """A percentage whose odds are moved as far as takes ``now`` to ``wanted``."""
    odds = own / (100 - own) * (wanted / (100 - wanted)) / (now / (100 - now))
    return 100 * odds / (1 + odds)


def _misses(name: str, wanted: float, reached: Mapping[str, float], reference: Baseline) -> bool:
    """Whether a measured value is not reached; a measured 0 is missed by more than a trace of the reference."""
    if wanted <= 0:
        return reached[name] > TRACE * getattr(reference, name)
    return abs(np.log(wanted / max(reached[name], 1e-12 * wanted))) > MISS


def _place_bone(
    individual: model.Individual,
    state: np.ndarray,
    baseline: Baseline,
    measured: Mapping[str, float],
    lesion: Lesion | None,
) -> model.Individual:
    """BMD at day 0, in place in ``state``, and the man whose it is.

    Under a lesion of the enzyme, which is from birth, he is at rest, at what was measured if it was: his skeleton is
    that much larger or smaller. Other lesions and drugs have begun at an unknown time, so bone starts at what was
    measured, else at what it was before.
    """
    bones = individual.man.bone
    rested = men.density_at_rest(individual, build(model.State, state), baseline.age)
    for site, place, at_rest in zip(SITES, BMD, rested, strict=True):
        own = getattr(baseline, site)
        if lesion is not None and lesion.aromatase != 1:
            own = at_rest
            bones = bones._replace(**{site: getattr(bones, site) * measured.get(site, own) / own})
        state[place] = measured.get(site, own)
    return individual._replace(man=individual.man._replace(bone=bones))


# Measured values that the reference of a diseased or treated man is moved to meet.
MATCHED = ("testosterone", "estradiol", "LH", "FSH", "SHBG", "inhibin_B", "sperm_concentration")


def _as_he_is(
    baseline: Baseline,
    parameters: model.Parameters,
    lesion: Lesion | None,
    earlier: Channels,
    compile: bool | None,
) -> tuple[model.Individual, np.ndarray]:
    """The diseased man at rest, or the treated one at the end of his run-in."""
    individual = model.Individual(personalise(baseline, parameters, lesion), parameters)
    state = rest(individual)
    if lesion is not None and lesion != Lesion():
        state = settle(individual, state, baseline.age, compile)
    if earlier:
        first = min(float(s.starts[0]) for several in earlier.values() for s in several)
        solution = reference.solve(
            model.traced(),
            state,
            vector(individual),
            input_table(baseline.age, earlier),
            np.array([first, 0.0]),
            rtol=1e-6,
            compile=compile,
        )
        bmd, state = state[BMD], np.array(solution.values[-1])
        state[BMD] = bmd
    return individual, state


def _values(individual: model.Individual, state: np.ndarray, baseline: Baseline, earlier: Channels) -> dict[str, float]:
    """Quantities at day 0, with what drugs taken before still do."""
    inputs = evaluate(input_table(baseline.age, earlier), np.zeros(1))
    found = outputs.quantities(state[None, :], individual, inputs)
    return {name: float(values[0]) for name, values in found.items()}
