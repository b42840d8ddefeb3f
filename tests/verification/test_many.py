"""The whole model for many men: as one man by the other solver, at the ends of the population, to the same bytes."""

import numpy as np
import pytest

from leydig import model, numerics, start
from leydig.baseline import Baseline, Lesion
from leydig.engine import kernel
from leydig.engine.kernel import compiled_kernel
from leydig.engine.step import step
from leydig.engine.trace import build, flatten, names
from leydig.errors import InputError, ModelWarning
from leydig.pharmacology.protocol import Protocol
from leydig.population_prior import conditions, men
from leydig.ranges import limits
from leydig.studies import many, simulate
from leydig.studies.many import follow_men, multipliers
from leydig.studies.population import compute
from leydig.studies.population_plan import specify

DAYS = np.array([0.0, 28.0, 84.0, 112.0])
WANTED = (
    *("testosterone", "estradiol", "LH", "FSH", "SHBG", "inhibin_B", "sperm_concentration", "bmd_spine", "bmd_hip"),
    *("CTX", "HDL", "glucose", "hematocrit", "fat_mass", "desire_score", "hot_flush_probability", "anastrozole"),
    *("letrozole", "testosterone_estradiol_ratio", "conception_probability"),
)
EXTREME = 3.0  # standard deviations of every factor at once
INHIBITOR = "anastrozole 0.5 mg twice weekly"
REPLACEMENT = "testosterone cypionate 100 mg weekly + hCG 500 IU three times weekly + anastrozole 0.5 mg twice weekly"
EVERYTHING = "letrozole 2.5 mg daily + weight -8 % over 3 months"


def alone(drawn, factors, protocol, i):
    """The man number ``i`` by the path of one man, with the reference solver."""
    values = dict(zip(names(model.Parameters), flatten(model.load_parameters()), strict=True))
    scale = {}
    for name, factor in factors.items():
        if name in values:
            values[name] *= float(factor[i])
        else:
            scale[tuple(name.rsplit(".", 1))] = float(factor[i])
    columns = {"age": drawn.age, **drawn.values}
    began = start.begin(
        Baseline(**{name: float(columns[name][i]) for name in Baseline._fields}),
        build(model.Parameters, list(values.values())),
        lesion=Lesion(**{organ: float(left[i]) for organ, left in drawn.lesion.items()}),
        compile=True,
    )
    given = start.given(protocol, float(DAYS[-1]))
    clock = many.look(DAYS, 1.0)
    shown, status = simulate.follow(began, float(drawn.age[i]), given, clock, scale=scale, tolerance=1e-9)
    assert status.name == "done"
    return began, shown


def extremes(protocol, n):
    """Men of every condition in turn, two in three of them with all factors far up or far down."""
    shares = {name: 1 / len(conditions()) for name in conditions()}
    drawn = men(shares, 11, 0, n)
    factors = multipliers([protocol], 11, 0, n)
    sizes = multipliers([protocol], 12, 0, 2000)
    for name, factor in factors.items():
        spread = EXTREME * np.std(np.log(sizes[name]))
        factor[1::3], factor[2::3] = np.exp(spread), np.exp(-spread)
    return drawn, factors


@pytest.mark.parametrize("text", [INHIBITOR, REPLACEMENT, EVERYTHING])
def test_extreme_men_agree_with_the_reference_solver(text):
    protocol = Protocol.parse(text)
    drawn, factors = extremes(protocol, 18)
    found = follow_men(drawn, factors, [protocol], DAYS, WANTED)[0]
    assert (found.status == "done").all() and (found.reached == DAYS[-1]).all()
    assert len(set(drawn.condition)) > 6
    for i in range(0, 18, 2):
        _, shown = alone(drawn, factors, protocol, i)
        for name in set(WANTED) - {"conception_probability"}:
            wanted = shown.get(name, np.zeros(len(DAYS)))
            size = np.maximum(np.abs(wanted), 1e-3 * max(np.abs(wanted).max(), 1e-3))
            error = np.max(np.abs(found.quantities[name][i] - wanted) / size)
            assert error < 1e-4, (name, i, error)


def test_men_without_hormones_are_solved():
    """No testes, no aromatase, no sperm: what is nothing stays a number."""
    protocol = Protocol.parse(INHIBITOR)
    for condition, nothing in (("agonadal", "sperm_concentration"), ("aromatase-deficient", "estradiol")):
        drawn = men(condition, 3, 0, 8)
        found = follow_men(drawn, multipliers([protocol], 3, 0, 8), [protocol], DAYS, WANTED)[0]
        assert (found.status == "done").all()
        assert (found.quantities[nothing] < 0.5).all()
        assert all(np.isfinite(values).all() for values in found.quantities.values())


def test_diseased_men_begin_where_one_man_does():
    protocol = Protocol.parse(INHIBITOR)
    for condition in ("primary-failure", "hypogonadotropic", "aromatase-deficient", "aromatase-excess"):
        drawn = men(condition, 5, 0, 4)
        factors = multipliers([], 5, 0, 4)
        begun = many.begin_men(drawn, factors)
        for i in range(4):
            one, _ = alone(drawn, factors, protocol, i)
            assert np.allclose(begun.states[i], one.state, rtol=1e-6, atol=1e-8)
            assert np.allclose(begun.vectors[i], start.vector(one.individual), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("mode", ["default", "single"])
def test_the_same_man_has_the_same_bytes_in_every_chunk(mode):
    protocols = [Protocol.parse(INHIBITOR), Protocol.parse("none")]
    mixture, n = {"eugonadal": 0.5, "primary-failure": 0.3, "obese-hypogonadal": 0.2}, 80
    days = np.array([0.0, 20.0, 28.0])

    def chunk(first, size, threads=1):
        drawn = men(mixture, 4, first, size)
        factors = multipliers(protocols, 4, first, size)
        return follow_men(drawn, factors, protocols, days, WANTED, mode=mode, threads=threads)

    together = chunk(0, n, threads=2)
    assert all((one.status == "done").all() for one in together)
    for size, firsts in ((1, (0, 9, 79)), (7, (3, 70)), (40, (0, 40))):
        for first in firsts:
            for whole, part in zip(together, chunk(first, size), strict=True):
                for name in WANTED:
                    assert whole.quantities[name][first : first + size].tobytes() == part.quantities[name].tobytes()
                assert (whole.steps[first : first + size] == part.steps).all()


def test_single_precision_agrees_with_double():
    protocol = Protocol.parse(INHIBITOR)
    drawn, factors = extremes(protocol, 18)
    double = follow_men(drawn, factors, [protocol], DAYS, WANTED)[0]
    single = follow_men(drawn, factors, [protocol], DAYS, WANTED, mode="single")[0]
    for name in set(WANTED) - {"letrozole"}:
        size = np.maximum(np.abs(double.quantities[name]), 1e-3 * np.abs(double.quantities[name]).max())
        assert np.max(np.abs(single.quantities[name] - double.quantities[name]) / size) < 2e-4, name


def test_a_man_whom_the_protocol_cannot_have_is_a_row():
    with pytest.warns(ModelWarning, match="larger than the usual"):
        protocol = Protocol.parse("weight -45 % over 1 year")
    drawn = men("eugonadal", 1, 0, 200)
    thin = drawn.values["BMI"] * 0.55 < limits("accepted")["BMI"].low
    found = follow_men(drawn, multipliers([protocol], 1, 0, 200), [protocol], np.array([0.0, 365.0]), ("LH",))[0]
    assert 0 < thin.sum() < 200
    assert ((found.status == "refused") == thin).all()
    assert np.isnan(found.quantities["LH"][thin]).all() and np.isfinite(found.quantities["LH"][~thin]).all()


def test_a_protocol_is_solved_by_the_smallest_code_that_holds_it():
    classes = {
        text: many.use(Protocol.parse(text), 28, "default").name for text in (INHIBITOR, REPLACEMENT, EVERYTHING)
    }
    assert classes == {INHIBITOR: "inhibitor", REPLACEMENT: "replacement", EVERYTHING: "everything"}
    assert many.use(Protocol.parse("none"), 28, "default").name == "inhibitor"
    still = dict(numerics.variant("inhibitor").still)
    assert still == {
        "letrozole.central": 0.0,
        "letrozole.peripheral": 0.0,
        "aromatase_enzyme.peripheral": 1.0,
        "aromatase_enzyme.testicular": 1.0,
        "gnrh_receptor.response": 1.0,
    }


def test_the_fast_mode_keeps_the_error_that_it_states():
    assert {one.name for one in numerics.numerics().fast} == set(numerics.grids()), "run make accuracy"
    protocol = Protocol.parse("anastrozole 1 mg every 2 days")  # not one that the grid was chosen on
    drawn = men({"eugonadal": 0.5, "obese-hypogonadal": 0.5}, 21, 0, 64)
    factors = multipliers([protocol], 21, 0, 64)
    exact = follow_men(drawn, factors, [protocol], DAYS, WANTED)[0]
    fast = follow_men(drawn, factors, [protocol], DAYS, WANTED, mode="fast")[0]
    stated = numerics.grids()["anastrozole"].error
    for name in ("testosterone", "estradiol", "LH", "bmd_spine"):
        error = np.max(np.abs(fast.quantities[name] / exact.quantities[name] - 1))
        assert error < stated + 1e-4, name
    with pytest.raises(InputError, match="moves enclomiphene, zuclomiphene; it has them for those of anastrozole"):
        many.use(Protocol.parse("clomiphene 25 mg daily"), 28, "fast")
    with pytest.raises(InputError, match='unknown mode "fats"; did you mean "fast"'):
        many.use(protocol, 28, "fats")


def test_the_whole_model_is_vector_code(tmp_path, monkeypatch):
    """One phase of the smallest class, compiled afresh, since code from the cache cannot be looked at."""
    traced, variant = model.traced(), numerics.variant("inhibitor")
    text = kernel.kernel_source(traced, variant, "double")
    begin, end = text.index("@straight\ndef phase_1("), text.index("@straight\ndef phase_2(")
    head = text[: text.index("@straight\ndef hoist(")]
    monkeypatch.setenv("LEYDIG_CACHE", str(tmp_path))
    module = kernel.generated("phase", head + text[begin:end])
    lines = module.phase_1._library.get_asm_str().splitlines()
    wide = sum("mulpd" in line or ("fmadd" in line and "pd" in line) for line in lines)
    narrow = sum("mulsd" in line or ("fmadd" in line and "sd" in line) for line in lines)
    assert wide > 300 and narrow < 0.02 * wide


def test_only_what_acts_on_something_is_solved_for_together():
    program = step(model.traced(), kernel.EVERYTHING)
    n, core = len(program.moving), len(program.moving) - program.passive
    assert n == len(model.traced().states)
    assert 15 <= core < n / 2
    assert len(program.elimination.slots) < core * core / 3
    assert n - 5 == compiled_kernel(model.traced(), numerics.variant("inhibitor")).STATES


def test_a_mean_over_the_time_between_doses_has_no_phase():
    protocol = Protocol.parse("testosterone enanthate 250 mg every 2 weeks")
    days = np.array([0.0, 280.0, 284.0, 287.0, 291.0])
    drawn = men("hypogonadotropic", 2, 0, 6)
    factors = multipliers([protocol], 2, 0, 6)

    def testosterone(over):
        return follow_men(drawn, factors, [protocol], days, ("testosterone",), over=over)[0].quantities["testosterone"]

    of_a_day, of_a_cycle = testosterone(1.0)[:, 1:], testosterone(14.0)[:, 1:]
    assert (of_a_day.max(axis=1) > 1.4 * of_a_day.min(axis=1)).all()
    assert (of_a_cycle.max(axis=1) < 1.06 * of_a_cycle.min(axis=1)).all()
    plans = {"daily": 1.0, "twice weekly": 7.0, "every 10 days": 10.0, "every 2 weeks": 14.0}
    for words, over in plans.items():
        found = specify("eugonadal", 2, [f"testosterone enanthate 100 mg {words} for 1 year"])
        assert found.over == over, words
    pause = "anastrozole 1 mg daily for 4 weeks then none for 8 weeks then anastrozole 1 mg daily for 4 weeks"
    assert specify("eugonadal", 2, [pause]).over == 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n": True}, "the number of men must be a whole number"),
        ({"n": 10.5}, "the number of men must be a whole number"),
        ({"seed": -1}, "the seed must be a whole number from 0"),
        ({"protocols": "none"}, "the protocols must be a list"),
        ({"quantities": "LH"}, "the quantities must be a list"),
        ({"every": 1e-9}, "every is 1e-09; it must be from"),
        ({"days": 0}, "days is 0; it must be from 1"),
        ({"condition": {"eugonadal": 1.0}}, "the condition must be text"),
    ],
)
def test_what_cannot_be_run_is_refused_from_python_as_well(given, said):
    with pytest.raises(InputError, match=said):
        specify(**{"condition": "eugonadal", "n": 2, "protocols": ["none"]} | given)


def test_a_short_run_shows_the_values_themselves():
    text = "anastrozole 1 mg daily for 7 days"
    found = specify("eugonadal", 4, [text], every=0.25, quantities=("estradiol",))
    tables, _ = compute(found, 0, 4)
    drawn = men("eugonadal", 0, 0, 4)
    protocol = Protocol.parse(text)
    factors = multipliers([protocol], 0, 0, 4)
    wanted = follow_men(drawn, factors, [protocol], found.kept, ("estradiol",), over=0.0)[0].quantities["estradiol"]
    assert np.array_equal(tables["courses"]["estradiol"].reshape(wanted.shape), wanted.astype(np.float32))
