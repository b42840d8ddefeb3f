"""The SBML export: valid, and the same numbers from another simulator with its own integrator and events."""

import numpy as np
import pytest

from leydig import model, start
from leydig.engine import reference, repeats, sbml
from leydig.engine.inputs import InputTable, evaluate
from leydig.errors import InputError
from leydig.io import sbml as export

WHY = "python-libsbml and libroadrunner (the extra `sbml`) are not installed"
PROTOCOLS = (
    "anastrozole 1 mg daily for 12 weeks",
    "testosterone cypionate 100 mg weekly + hCG 1000 IU three times weekly + anastrozole 0.5 mg twice weekly"
    " for 12 weeks",
    "weight -8 % over 8 weeks + letrozole 2.5 mg daily for 12 weeks",
)
AGREEMENT = 1e-6  # max |y - reference| / max(|reference|, 1e-3 of its largest)


@pytest.fixture(scope="module", params=PROTOCOLS)
def run(request):
    return export.run("older-man", request.param)


def difference(values, reference_values):
    scale = np.maximum(np.abs(reference_values), 1e-3 * np.abs(reference_values).max(axis=0))
    return np.max(np.abs(values - reference_values) / np.where(scale > 0, scale, 1.0))


def test_roadrunner_agrees_with_the_reference_solver(run):
    roadrunner = pytest.importorskip("roadrunner", reason=WHY)
    traced, times = model.traced(), np.arange(0.0, 24 * 84 + 1, 24 * 3.5)
    simulator = roadrunner.RoadRunner(export.text(run))
    simulator.timeCourseSelections = [sbml.identifier(name) for name in (*traced.states, *traced.inputs)]
    simulator.integrator.relative_tolerance = 1e-10
    simulator.integrator.absolute_tolerance = 1e-12
    found = np.array(simulator.simulate(times=times.tolist()))
    exact = reference.solve(
        traced, run.began.state, start.vector(run.began.individual), run.inputs, times, rtol=1e-11, atol=1e-13
    )
    assert exact.status is reference.Status.done
    states = len(traced.states)
    assert difference(found[:, :states], exact.values) < AGREEMENT
    assert difference(found[:, states:], evaluate(run.inputs, times).T) < 1e-12


def test_libsbml_finds_no_error(run):
    libsbml = pytest.importorskip("libsbml", reason=WHY)
    text = export.text(run)
    document = libsbml.readSBMLFromString(text)
    document.checkConsistency()
    errors = [document.getError(i) for i in range(document.getNumErrors())]
    assert [e.getMessage() for e in errors if e.getSeverity() >= libsbml.LIBSBML_SEV_ERROR] == []
    assert document.getModel().getNumEvents() < 8  # 12 weeks of doses stay few events
    ruled = [rule.getVariable() for rule in document.getModel().getListOfRules() if rule.isRate()]
    assert ruled == [sbml.identifier(name) for name in model.traced().states]
    broken = libsbml.readSBMLFromString(text.replace('variable="axis__LH"', 'variable="nobody"'))
    broken.checkConsistency()
    assert broken.getNumErrors(libsbml.LIBSBML_SEV_ERROR) > 0


def test_every_state_says_what_it_means():
    said = export.meanings()
    text = export.text(export.run("older-man", "none for 1 week"))
    for name in ("steroids.free_testosterone", "man.axis.LH", "parameters.axis.LH_clearance", "anastrozole"):
        assert said[name] in text
    assert said["parameters.axis.LH_clearance"].startswith("1/h")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([24.0 * d for d in range(1, 365)], [(24.0, 24.0, 364)]),
        ([84.0 * k for k in range(10)], [(0.0, 84.0, 10)]),
        # Monday, Wednesday and Friday are three weekly rows
        (
            sorted(24.0 * d + 168 * w for w in range(5) for d in (0, 2, 4)),
            [(0.0, 168.0, 5), (48.0, 168.0, 5), (96.0, 168.0, 5)],
        ),
        ([7.0], [(7.0, 1.0, 1)]),
        ([], []),
    ],
)
def test_times_become_few_progressions(times, expected):
    assert repeats.progressions(times) == [pytest.approx(one) for one in expected]


def test_any_inputs_are_the_sum_of_their_groups():
    """Random jumps at random times in terms that share events or do not: the groups give the table's values again."""
    rng = np.random.default_rng(5)
    starts = np.concatenate([[-30.0, 0.0], np.sort(rng.uniform(1, 200, 40))])
    shape = (len(starts), 2)
    rate = np.array([0.3, 0.05, 0.4])
    table = InputTable(
        starts, rng.normal(size=shape), rng.normal(size=shape) / 100, np.array([0, 1, 1]), rate,
        rng.normal(size=(len(starts), 3)), rng.normal(size=(len(starts), 3)) / 10,
    )  # fmt: skip
    times = np.linspace(0, 230, 400)
    found = np.zeros((2, len(times)))
    for group in repeats.grouped(table):
        events = sorted((r.first + k * r.interval, i) for i, r in enumerate(group.repeats) for k in range(r.times))
        for place, term in enumerate(group.terms):
            a, b, latest = term.a, term.b, 0.0
            values = (a + b * times) * np.exp(-term.rate * times)
            for moment, which in events:
                tau, repeat = moment - latest, group.repeats[which]
                a = (a + b * tau) * np.exp(-term.rate * tau) + repeat.jump[place]
                b, latest = b * np.exp(-term.rate * tau) + repeat.ramp[place], moment
                now = times >= moment
                tau = times[now] - moment
                values[now] = (a + b * tau) * np.exp(-term.rate * tau)
            found[term.channel] += values
    np.testing.assert_allclose(found, evaluate(table, times), rtol=1e-9, atol=1e-11)


def test_a_file_is_written_and_bad_input_is_refused(tmp_path):
    path = tmp_path / "man.xml"
    export.write(path, "older-man", "anastrozole 1 mg daily for 2 weeks")
    assert path.read_text().startswith("<?xml")
    with pytest.raises(InputError):
        export.write(path, "older-man", "anastrozol 1 mg daily")


def test_a_number_that_is_none_is_refused():
    of = export.run("older-man", "none for 1 week")
    with pytest.raises(ValueError, match="nan"):
        sbml.document(model.traced(), of.began.state * np.nan, start.vector(of.began.individual), of.inputs)


def test_names_that_collide_are_refused():
    traced = model.traced()
    twice = traced._replace(inputs=("axis.LH", *traced.inputs[1:]))
    of = export.run("older-man", "none for 1 week")
    with pytest.raises(ValueError, match="share a name"):
        sbml.document(twice, of.began.state, start.vector(of.began.individual), of.inputs)
