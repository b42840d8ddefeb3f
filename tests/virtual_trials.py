"""Designs and pools of virtual men for tests of how trials are analysed; no model runs."""

from typing import Any

import numpy as np

from leydig.studies.trial_design import Design
from leydig.studies.trial_pool import Enrolled, Pool

FOREVER = np.inf


def design(**changed: Any) -> Design:
    """Two arms, two visits, 40 men; any part can be changed."""
    content: dict[str, Any] = {
        "name": "an example",
        "population": {"condition": "obese-hypogonadal"},
        "n": 40,
        "arms": [
            {"name": "placebo", "protocol": "none", "control": True},
            {"name": "drug", "protocol": "anastrozole 1 mg daily"},
        ],
        "visits": [30, 90],
        "outcomes": [{"quantity": "testosterone"}],
        "replicates": 200,
    }
    return Design.model_validate({key: value for key, value in {**content, **changed}.items() if value is not None})


def pool(of: Design, readings: dict[str, Any], arm: Any, draw: Any = None, **other: Any) -> Pool:
    """A pool of men with these readings (N, v), by quantity; nobody leaves unless it is said."""
    arm = np.asarray(arm)
    n = len(arm)
    printed = {name: np.asarray(values, float) for name, values in readings.items()}
    names = tuple(name for name, _ in of.sequences)
    content: dict[str, Any] = {
        "arms": names,
        "arm": arm,
        "draw": np.zeros(n, int) if draw is None else np.asarray(draw),
        "days": np.array(of.days),
        "printed": printed,
        "truth": printed,
        "screening": {},
        "left": np.full(n, FOREVER),
        "taken": np.ones(n),
        "enrolled": tuple(Enrolled(name, n, 1.0, float(n), ()) for name in names),
        "untreated": None,
        "failed": 0,
    }
    return Pool(**{**content, **other})
