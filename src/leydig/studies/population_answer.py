"""The answer of a population run as plain values: quantiles by day, changes, and shares of men."""

from __future__ import annotations

from typing import Any

import numpy as np

from leydig.studies import titrate_tables
from leydig.studies.population import Specification
from leydig.studies.population_run import Finished
from leydig.studies.population_summary import QUANTILES, RESOLUTION
from leydig.studies.responders import Responder, responders
from leydig.units import CANONICAL


def answer(specification: Specification, finished: Finished) -> dict[str, Any]:
    """Everything that the dataset says in short.

    Per protocol: ``status`` (men by status), ``quantities`` by name with ``n``, ``mean``, ``sd`` and ``quantiles`` (by
    percent) over ``days``, ``change`` with the same from start to end, and ``responders`` with the ``share`` of men of
    whom each holds on each day. Where doses are titrated a protocol has a ``titration`` as well: final doses, how many
    decisions were taken, and how many of them on noise alone. Quantiles may be off by ``resolution`` of their value.
    Nothing in it depends on how the run was computed.
    """
    statistics = finished.total.statistics(specification.cells)
    return {
        **specification.document(),
        "men": finished.total.men,
        "days": specification.kept.tolist(),
        "resolution": RESOLUTION,
        "protocols": [
            {
                "protocol": text,
                "status": dict(sorted(finished.total.status[place].items())),
                "quantities": _quantities(specification, statistics, place),
                "responders": _responders(finished, place),
                **_titration(specification, finished, place),
            }
            for place, text in enumerate(specification.labels)
        ],
    }


def _quantities(specification: Specification, statistics: list[dict[str, Any]], place: int) -> dict[str, Any]:
    days, found = len(specification.kept), {}
    for k, name in enumerate(specification.quantities):
        over_days = [statistics[specification.cell(place, day, k)] for day in range(days)]
        change = statistics[specification.cell(place, days, k)]
        found[name] = {
            "unit": CANONICAL[name],
            **{part: [one[part] for one in over_days] for part in ("n", "mean", "sd")},
            "quantiles": {
                percent(q): [one["quantiles"][number] for one in over_days] for number, q in enumerate(QUANTILES)
            },
            "change": {
                **{part: change[part] for part in ("n", "mean", "sd")},
                "quantiles": {percent(q): value for q, value in zip(QUANTILES, change["quantiles"], strict=True)},
            },
        }
    return found


def _titration(specification: Specification, finished: Finished, place: int) -> dict[str, Any]:
    rules = specification.rules[place]
    return {} if rules is None else {"titration": titrate_tables.stated(rules, finished.total.trees[place])}


def percent(quantile: float) -> str:
    """The name of a quantile: 2.5, 50."""
    return f"{100 * quantile:g}"


def _responders(finished: Finished, place: int) -> list[dict[str, Any]]:
    met, known = finished.total.met, finished.total.known
    assert met is not None and known is not None
    found = []
    for number, responder in enumerate(responders()):
        holds, of = met[number, place], known[number, place]
        share = [float(a / b) if b else None for a, b in zip(holds, of, strict=True)]
        found.append({**stated(responder), "share": share, "known": np.asarray(of).tolist()})
    return found


def stated(responder: Responder) -> dict[str, Any]:
    """What is counted, with its limit and where that comes from."""
    return {
        "key": responder.key,
        "name": responder.name,
        "short": responder.short,
        "quantity": responder.quantity,
        "of": responder.of,
        "scale": responder.scale,
        responder.relation: responder.limit,
        "unit": responder.unit,
        "kind": responder.kind,
        "source": list(responder.source),
        "note": responder.note,
    }
