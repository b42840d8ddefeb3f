"""leydig: an open simulator of the male hypothalamic-pituitary-gonadal axis.

The names below are the whole public face; each is imported when it is first used.

    import leydig
    run = leydig.simulate("older-man", ["anastrozole 1 mg daily for 52 weeks"])[0]
    run.dataset()["testosterone"]
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from leydig.engine.trajectory import Panel, Trajectory
    from leydig.errors import InputError, ModelWarning
    from leydig.evidence import cite, load_trial, trial, trials
    from leydig.io.population import population
    from leydig.io.tables import write as write_data
    from leydig.pharmacology.protocol import Protocol, Regimen
    from leydig.report.page import write as write_report
    from leydig.studies.meta_document import meta_analysis
    from leydig.studies.minutes import simulate_minutes
    from leydig.studies.reproduce import reproduce
    from leydig.studies.simulate import simulate
    from leydig.studies.trial import virtual_trial
    from leydig.subject import Subject

# Public name to the module that holds it, and its name there.
_HOMES = {
    "Subject": ("leydig.subject", "Subject"),
    "Protocol": ("leydig.pharmacology.protocol", "Protocol"),
    "Regimen": ("leydig.pharmacology.protocol", "Regimen"),
    "simulate": ("leydig.studies.simulate", "simulate"),
    "simulate_minutes": ("leydig.studies.minutes", "simulate_minutes"),
    "population": ("leydig.io.population", "population"),
    "virtual_trial": ("leydig.studies.trial", "virtual_trial"),
    "reproduce": ("leydig.studies.reproduce", "reproduce"),
    "meta_analysis": ("leydig.studies.meta_document", "meta_analysis"),
    "Trajectory": ("leydig.engine.trajectory", "Trajectory"),
    "Panel": ("leydig.engine.trajectory", "Panel"),
    "write_data": ("leydig.io.tables", "write"),
    "write_report": ("leydig.report.page", "write"),
    "cite": ("leydig.evidence", "cite"),
    "load_trial": ("leydig.evidence", "load_trial"),
    "trial": ("leydig.evidence", "trial"),
    "trials": ("leydig.evidence", "trials"),
    "InputError": ("leydig.errors", "InputError"),
    "ModelWarning": ("leydig.errors", "ModelWarning"),
}

__all__ = [
    "InputError",
    "ModelWarning",
    "Panel",
    "Protocol",
    "Regimen",
    "Subject",
    "Trajectory",
    "__version__",
    "cite",
    "load_trial",
    "meta_analysis",
    "population",
    "reproduce",
    "simulate",
    "simulate_minutes",
    "trial",
    "trials",
    "virtual_trial",
    "write_data",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'leydig' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    globals()[name] = value = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
