"""What docs/bone.md says in sentences about the surface, all of it from its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from leydig.fits import fits, load_fit
from leydig.pharmacology import levers
from leydig.report import wording
from leydig.studies.bone_surface import Course, Grid, Regimen, Row, untreated

DAILY = 7
SPINE, HIP = "bmd_spine_difference", "bmd_hip_difference"
FIRST, SECOND, LAST = 1.0, 2.0, 5.0  # years of the tables
HALF = 0.5
TIMES = "\u00d7"

Courses = Mapping[Regimen, Course]


class Surface:
    """The rows of the surface by what they are of."""

    def __init__(self, of: Grid, rows: Iterable[Row]) -> None:
        self.of, self.rows = of, {(*row[:6],): row for row in rows}
        self.name, self.top = next(iter(of.populations)), of.doses.values[-1]  # those that sentences are about

    def row(
        self,
        quantity: str,
        years: float,
        population: str = "",
        dose: float = 0.0,
        often: int = DAILY,
        more: bool = False,
    ) -> Row:
        """One line, by default of the first population on the highest dose; ``more`` is with the supplement."""
        supplement = self.of.crossed[-1 if more else 0]
        return self.rows[(population or self.name, dose or self.top, often, years, supplement, quantity)]


def percent(value: float, decimals: int = 1) -> str:
    """A number of percent with its sign."""
    sign = "+" if round(value, decimals) > 0 else ""
    return sign + wording.digits(value, decimals)


def spread(row: Row, decimals: int = 1) -> str:
    """Mean and interval."""
    return interval(row.mean, row.lower, row.upper, decimals)


def interval(mean: float, low: float, high: float, decimals: int = 1) -> str:
    """A mean with its limits."""
    few = min(decimals, 1)  # limits of an interval are never known to more than one
    return f"{percent(mean, decimals)} ({percent(low, few)} to {percent(high, few)})"


def share(row: Row) -> str:
    """The share of men who lose more than two scans tell apart."""
    return f"{wording.PERCENT * (row.losing or 0.0):.0f} %"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of the page."""
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)]


def against_untreated(runs: Courses, of: Grid, dose: float, place: int, beside: str = "") -> np.ndarray:
    """Spine of further runs against the same men untreated, (draws, men), at one of their times."""
    course = runs[Regimen(dose, DAILY, beside or of.crossed[0])]
    return (course.change("bmd_spine") - runs[untreated(of)].change("bmd_spine"))[..., place]


def findings(found: Surface, extra: Courses, best: Courses) -> Iterable[str]:
    """What the numbers say."""
    yield from (of_population(found, name) for name in found.of.populations)
    yield of_dose(found, extra)
    yield of_time(found)
    yield of_supplements(found)
    yield how_sure(found, best)


def of_population(found: Surface, name: str) -> str:
    """The highest daily dose after the first and the last year."""
    spine, hip = ([found.row(site, years, name) for years in (FIRST, LAST)] for site in (SPINE, HIP))
    estradiol, testosterone, resorption = (
        spread(found.row(f"{quantity}_change", FIRST, name), 0) for quantity in ("estradiol", "testosterone", "CTX")
    )
    return (
        f"**{wording.capital(name)}** on {found.top:g} {found.of.doses.unit} daily, against untreated: spine "
        f"{spread(spine[0])} % after one year, {spread(spine[1])} % after {LAST:g}; hip {spread(hip[0])} and "
        f"{spread(hip[1])} %. {share(spine[0])} and {share(spine[1])} of the men lose more at the spine than two scans "
        f"tell apart. Estradiol changes by {estradiol} %, testosterone by {testosterone} %, CTX by {resorption} %: the "
        "rise of testosterone does not make up for the fall of estradiol."
    )


def of_dose(found: Surface, extra: Courses) -> str:
    """What each step of the dose adds."""
    of, unit = found.of, found.of.doses.unit
    losses = [found.row(SPINE, FIRST, dose=dose).mean for dose in of.doses.values]
    steps = [b - a for a, b in pairwise([0.0, *losses])]
    deepest = against_untreated(extra, of, of.ceiling.values[-1], 1).mean()
    return (
        f"**Dose.** Steps of {of.doses.values[0]:g} {unit} a day add {', '.join(percent(step, 2) for step in steps)} "
        f"points at the spine in the first year ({found.name}): each less than the one before. Doubling from "
        f"{of.doses.values[0]:g} to {of.doses.values[1]:g} adds {percent(steps[1], 2)}, from {of.doses.values[1]:g} to "
        f"{found.top:g} {percent(steps[2] + steps[3], 2)}; {of.ceiling.values[-1]:g} {unit} a day, in no use, would "
        f"end at {percent(deepest, 2)} %. Within the doses in use the loss flattens and reaches no plateau, because "
        "estradiol by mass spectrometry reaches none in the model."
    )


def of_time(found: Surface) -> str:
    """What each year adds."""
    rates = yearly(found, SPINE, found.name)
    return (
        f"**Time.** The spine loses {percent(rates[0], 2)} % in the first year of {found.top:g} {found.of.doses.unit} "
        f"daily and {percent(rates[-1], 2)} % in the last of {LAST:g}, {TIMES}{rates[-1] / rates[0]:.2f}. It slows "
        "because formation comes after resorption and less bone is left to resorb; it has not ended by then."
    )


def yearly(found: Surface, quantity: str, name: str) -> list[float]:
    """What each whole year adds on the highest daily dose, points."""
    whole = [found.row(quantity, years, name).mean for years in found.of.years.values if years >= FIRST]
    return [b - a for a, b in pairwise([0.0, *whole])]


def of_supplements(found: Surface) -> str:
    """What calcium and vitamin D do."""
    first, second, last = (
        found.row(SPINE, years, more=True).mean - found.row(SPINE, years).mean for years in (FIRST, SECOND, LAST)
    )
    effect = levers.parameters()["vitamin_D_effect"].value
    return (
        f"**Calcium** moves the curve by {percent(first, 2)} points after one year, {percent(second, 2)} after two and "
        f"{percent(last, 2)} after {LAST:g}: a gain made nearly all in the first year, which hides much of the drug's "
        "loss in that year, not a slower loss. No trial gave calcium to men on an inhibitor; that both add up is "
        "assumed. **Vitamin D** adds nothing here: there is no size of effect on density in men who are not "
        f"deficient (in the model it is {effect:g}), and deficiency is not modelled."
    )


def how_sure(found: Surface, best: Courses) -> str:
    """How wide the intervals are, and what the best estimate alone gives."""
    upper = max(found.row(SPINE, LAST, name).upper for name in found.of.populations)
    runs = against_untreated(best, found.of, found.top, 1), against_untreated(best, found.of, found.top, 2)
    first, last = (percent(float(run.mean()), 2) for run in runs)
    reach = "includes no loss at all" if upper > 0 else "leaves some loss in any case, but is wide"
    return (
        f"**How sure.** The interval of the mean after {LAST:g} years {reach}: how bone answers to estradiol is known "
        "from castration and replacement only, and how deep estradiol falls is uncertain too. At the best estimate of "
        f"everything, without draws, {found.name} change at the spine by {first} % in one year and {last} % in "
        f"{LAST:g} ({runs[0].size} men)."
    )


def overstated(found: Surface) -> Iterable[str]:
    """The claims of the source text on dose and time beside the surface."""
    unit, low = found.of.doses.unit, found.of.doses.values[0]
    start, end = found.row(SPINE, FIRST, dose=low).mean, found.row(SPINE, LAST).mean
    lost = [share(found.row(SPINE, years)) for years in (FIRST, SECOND, LAST)]
    yield (
        "The text says that the risk to bone depends on dose and adds up, in that dose and duration go directly with "
        "how much is lost, and that it becomes tangible beyond one to two years.\n"
    )
    yield (
        f"- **Not in proportion.** {low:g} {unit} daily for one year costs {percent(start)} % at the spine "
        f"({found.name}). In proportion to dose and time {found.top:g} {unit} daily for {LAST:g} years would cost "
        f"{percent(start * found.top / low * LAST)} %; the model has {percent(end)} %."
    )
    seen = "most, as the text says" if (found.row(SPINE, LAST).losing or 0.0) > HALF else "some"
    yield (
        f"- **Beyond one to two years** the loss becomes visible in {seen}: on the highest dose {lost[0]}, {lost[1]} "
        f"and {lost[2]} of the men have lost more than two scans tell apart after 1, 2 and {LAST:g} years, over all "
        "draws."
    )
    yield (
        "- **Measured is one dose and one year.** No trial was found that compared doses of an inhibitor for the "
        "bone density of men, or that went on for longer with a control; the rest of this surface is the model's "
        "extrapolation. Trials that measured estradiol by immunoassay found it as low on half the dose, or on two "
        "doses a week, as on 1 mg daily (mauras2000, leder2004). If that holds by mass spectrometry too, loss "
        "depends on dose even less than here."
    )
    yield (
        "- **What holds.** Estradiol drives it, the rise of testosterone does not prevent it, and it goes on, more "
        "slowly, as long as the drug does."
    )


def limits(found: Surface) -> Iterable[str]:
    """What a reader must know before he uses a number of this page."""
    row, draws = found.row(SPINE, FIRST), found.of.draws.value
    alone = found.rows[(found.name, 0.0, 0, FIRST, found.of.crossed[0], "estradiol")].mean
    between = {name: sd for fit in fits() for name, sd in load_fit(fit).between_study.items()}
    known_to = (row.upper - row.lower) / (2 * np.sqrt(draws))
    yield (
        "Beyond one year, and for anything but 1 mg daily, no controlled trial of an inhibitor and bone density in men "
        "was found. Estradiol, which drives everything here, falls deeper by mass spectrometry in the model than older "
        "kits show."
    )
    yield (
        f"Loss depends on where a man begins: {found.name} of the surface have {alone:.0f} pg/mL by mass spectrometry "
        "untreated; men who begin lower have less to lose."
    )
    yield (
        f"Trials differ by more than their sampling: SD {between['bmd_spine']:.1f} points at the spine and "
        f"{between['bmd_hip']:.1f} at the hip for changes of a year or more. The intervals of the surface do not hold "
        "that; those of the published trials do."
    )
    yield (
        f"An interval comes from {draws} draws whose means are of {found.of.men.value} men each; the mean itself is "
        f"known to about \u00b1{known_to:.2f} points after one year."
    )
    yield (
        "Men differ in untreated values and kinetics; how strongly bone answers is the same in all men of a draw. True "
        "shares of men beyond a limit are more spread."
    )
    yield (
        "Density is areal, as scanners see it; geometry, trabecular structure and fractures are not on this page. "
        "Women on inhibitors fall from another level of estradiol and were not used."
    )
