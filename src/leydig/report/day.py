"""A man's day, drawn and told: before and on a protocol, minute by minute, with what samples of it show."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leydig import laboratory, outputs
from leydig.report import figures, wording
from leydig.report.page import PLAIN_STATEMENT
from leydig.report.template import filled
from leydig.studies.minutes import HOURS_PER_DAY, MINUTES_PER_HOUR, RATIO, SAMPLED, Day, Minutes, above
from leydig.writing import replacing, write_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, DPI = 5.2, 2.5, 160  # inches, and dots to each
FIRST, LAST = ("LH", "testosterone", "estradiol"), ("FSH", "dihydrotestosterone", "SHBG")
LATER = 16.0  # h by the clock of the afternoon sample in the table
MOST_PANELS = 6
TICKS = 6


class Part(NamedTuple):
    """One line of the figures."""

    label: str
    day: Day


def write(runs: Sequence[Minutes], path: Path | str) -> None:
    """The page (.html) or the picture (.png), by the path's suffix."""
    if Path(path).suffix.lower() == ".png":
        with replacing(path) as temporary:
            temporary.write_bytes(picture(runs))
    else:
        write_text(path, html(runs))


def html(runs: Sequence[Minutes]) -> str:
    """The page as text; the same days give the same text."""
    return filled("minutes.html.j2", _context(runs))


def _context(runs: Sequence[Minutes]) -> dict[str, Any]:
    from markupsafe import Markup

    several = parts(runs)
    return {
        "title": str(runs[0].subject["name"]),
        "length": hours_in_words(runs[0].on),
        "statement": PLAIN_STATEMENT,
        "lines": [_key(place, part.label) for place, part in enumerate(several)],
        # Our own drawing; text from outside never enters it.
        "panels": [Markup(_svg(several, name)) for name in _drawn(several)],
        "pulses": {"columns": [part.label for part in several], "rows": pulse_rows(several)},
        "readings": {"columns": [part.label for part in several], "rows": reading_rows(several)},
        "sampled": f"{SAMPLED:g}",
        "assumed": list(dict.fromkeys(sentence for run in runs for sentence in run.assumed)),
        "remarks": list(dict.fromkeys(sentence for run in runs for sentence in run.remarks)),
        "sources": list({source["key"]: source for run in runs for source in run.sources}.values()),
        "made": {"seed": runs[0].seed, **runs[0].digests},
    }


def parts(runs: Sequence[Minutes]) -> list[Part]:
    """The day before, then the day on each protocol."""
    return [Part("before", runs[0].before), *(Part(f"{run.protocol}, {day_in_words(run)}", run.on) for run in runs)]


def day_in_words(run: Minutes) -> str:
    """Day 84 of a run, or week 12 where it is one."""
    weeks, rest = divmod(run.at_day, wording.DAYS_PER_WEEK)
    return f"week {weeks:g}" if weeks and not rest else f"day {run.at_day:g}"


def hours_in_words(day: Day) -> str:
    length = day.hours[-1] - day.hours[0]
    return f"{length:g} {'hour' if length == 1 else 'hours'} from {wording.clock(_clock(day)[0])}"


def _clock(day: Day) -> np.ndarray:
    """Hours of the clock, running on past midnight."""
    start = (laboratory.constants().usual_hour + day.hours[0]) % HOURS_PER_DAY
    return start + day.hours - day.hours[0]


def _key(place: int, label: str) -> dict[str, str]:
    colour, dash = figures.style(place)
    pattern = " ".join(f"{length:g}" for length in dash[1]) if isinstance(dash, tuple) else ""
    return {"label": label, "colour": colour, "dash": pattern}


# Figures ------------------------------------------------------------------------------------------


def _drawn(several: Sequence[Part]) -> list[str]:
    """What is drawn: LH and steroids, the drugs that are there, then what is left of the hormones."""
    there = [name for part in several for name in part.day.quantities.values]
    drugs = [name for name in dict.fromkeys(there) if name in outputs.DRUGS]
    return [name for name in (*FIRST, *drugs, *LAST) if name in there][:MOST_PANELS]


def _draw(axes: Axes, several: Sequence[Part], name: str) -> None:
    highest = 0.0
    for place, part in enumerate(several):
        day, (colour, dash) = part.day, figures.style(place)
        values = day.quantities.values.get(name)
        if values is None:
            continue
        clock = _clock(day)
        axes.plot(clock, values, color=colour, ls=dash, lw=1.3, zorder=3)
        highest = max(highest, float(values.max()))
        if name == "LH" and day.found:
            tops = day.found[0].pulses
            axes.plot(
                clock[0] + tops.peak / MINUTES_PER_HOUR, tops.height, ls="none", marker="o", ms=3.6, mfc="white",
                mec=colour, mew=1.1, zorder=4,
            )  # fmt: skip
    clock = _clock(several[0].day)
    axes.set_xlim(clock[0], clock[-1])
    axes.set_ylim(0, (highest or 1.0) * figures.HEADROOM)
    length = clock[-1] - clock[0]
    step = max(round(length / TICKS), 1)
    ticks = np.arange(clock[0], clock[-1] + 1e-9, step)
    axes.set_xticks(ticks, [f"{int(tick % HOURS_PER_DAY):02d}" for tick in ticks])
    axes.set_xlabel("hour of the clock", color=figures.INK)
    unit = next(p.day.quantities.units[name] for p in several if name in p.day.quantities.units)
    printed = wording.unit(unit)
    title = wording.capital(wording.name(name)) + (f", {printed}" if printed else "")
    axes.set_title(title, loc="left", size=figures.TEXT + 1, color=figures.INK)


def _svg(several: Sequence[Part], name: str) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        FigureCanvasSVG(figure)
        _draw(figure.add_subplot(), several, name)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return figures.inline(written.getvalue(), f"day-{name}", f"{wording.name(name)} over the day")


def picture(runs: Sequence[Minutes]) -> bytes:
    """All panels as one PNG."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    several = parts(runs)
    names = _drawn(several)
    rows, above = -(-len(names) // 2), 0.45 + 0.24 * len(several)
    with matplotlib.rc_context(figures.STYLE | {"svg.fonttype": "path"}):
        height = rows * HEIGHT + above
        below_title = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - above / height))
        figure = Figure(figsize=(2 * WIDTH, height), facecolor="white", layout=below_title)
        FigureCanvasAgg(figure)
        for place, name in enumerate(names, start=1):
            _draw(figure.add_subplot(rows, 2, place), several, name)
        title = f"{runs[0].subject['name']}: {hours_in_words(runs[0].on)}"
        figure.text(0.012, 1 - 0.25 / height, title, size=figures.TEXT + 3, weight="bold", parse_math=False)
        for place, part in enumerate(several):
            up = 1 - (0.5 + 0.24 * place) / height
            figure.text(0.012, up, part.label, size=figures.TEXT + 1, color=figures.style(place)[0], parse_math=False)
        written = io.BytesIO()
        figure.savefig(written, format="png", dpi=DPI, metadata={"Software": None})
    return written.getvalue()


# Numbers ------------------------------------------------------------------------------------------


def pulse_rows(several: Sequence[Part]) -> list[dict[str, Any]]:
    """Bursts that were there, and pulses that samples show; one cell for each part."""
    rows = [
        {
            "name": "LH bursts in 24 hours, as the brain drives them",
            "cells": [f"{part.day.frequency:.1f}" for part in several],
        },
        {"name": "mean burst, IU/L", "cells": [_mean_burst(part.day) for part in several]},
    ]
    for place, found in enumerate(several[0].day.found):
        name = f"{found.detector}, samples every {SAMPLED:g} min"
        every = [part.day.found[place] for part in several]
        lengths = [MINUTES_PER_HOUR * (part.day.hours[-1] - part.day.hours[0]) for part in several]
        frequency = [one.pulses.frequency(length) for one, length in zip(every, lengths, strict=True)]
        rows += [
            {"name": f"{name}: pulses in 24 hours", "cells": [f"{number:.1f}" for number in frequency]},
            {"name": "mean amplitude, IU/L", "cells": [_or_none(one.pulses.mean_amplitude) for one in every]},
            {
                "name": "bursts found, missed; pulses without a burst",
                "cells": [f"{one.against.found}, {one.against.missed}; {one.against.false}" for one in every],
            },
        ]
    return rows


def _mean_burst(day: Day) -> str:
    return _or_none(float(day.bursts.LH.mean())) if len(day.bursts.LH) else "none"


def _or_none(number: float) -> str:
    return f"{number:.2g}" if np.isfinite(number) else "none"


def _printed(day: Day, name: str, place: int) -> str:
    """A value as a laboratory prints it, with a sign where it only knows a limit."""
    below = day.below.get(name)
    sign = "<" if below is not None and below[place] else ">" if name == RATIO and above(day)[place] else ""
    return sign + wording.number(float(day.laboratory.values[name][place]), name)


def reading_rows(several: Sequence[Part]) -> list[dict[str, Any]]:
    """What his laboratory would print at the beginning and in the afternoon, and the day's range."""
    rows = []
    for name in ("testosterone", "estradiol", "LH", "FSH", "testosterone_estradiol_ratio"):
        if not all(name in part.day.laboratory.values for part in several):
            continue
        unit = wording.unit(several[0].day.laboratory.units[name])
        cells = []
        for part in several:
            printed, clock = part.day.laboratory.values[name], _clock(part.day)
            shown = [("at " + wording.clock(clock[0] % HOURS_PER_DAY), 0)]
            if clock[0] < LATER <= clock[-1]:
                shown.append(("at " + wording.clock(LATER), int(np.searchsorted(clock, LATER))))
            text = ", ".join(f"{when} {_printed(part.day, name, place)}" for when, place in shown)
            low, high = (_printed(part.day, name, int(place)) for place in (printed.argmin(), printed.argmax()))
            cells.append(f"{text}; from {low} to {high}")
        rows.append({"name": wording.capital(wording.name(name)) + (f", {unit}" if unit else ""), "cells": cells})
    return rows
