"""docs/equations.md: current, complete, and the same equations as the simulator runs."""

from pathlib import Path

import numpy as np
import pytest
import sympy
from tests import tools
from tests.men import OLDER

from leydig import model, start
from leydig.baseline import personalise
from leydig.engine import latex
from leydig.engine.derivation import Recorder
from leydig.engine.fields import described
from leydig.engine.trace import build, flatten, names

ROOT = Path(__file__).resolve().parents[2]


TOOL = tools.load("equations_page")
PAGE = (ROOT / "docs" / "equations.md").read_text(encoding="utf-8")


def test_the_page_is_current():
    assert TOOL.page() == PAGE, "docs/equations.md is stale; run make pages"


def test_every_state_has_an_equation():
    assert PAGE.count(r"\frac{d\,") == len(names(model.State))
    for name in model.State._fields:
        text = PAGE[PAGE.index(f"## {TOOL.TITLES[name]}\n") :].split("\n## ")[0]
        for field in model.State.__annotations__[name]._fields:
            assert latex.rate(latex.words(field, "upright")) + " = " in text


def evaluated(expression, values):
    """An expression of the page in numbers; the common functions are the model's own."""
    kept = {function.__name__: function for function in TOOL.KEPT}
    symbols = sorted(expression.free_symbols, key=str)
    return sympy.lambdify(symbols, expression, [kept, "math"])(*(values[s] for s in symbols))


def numbers(record, prefix):
    return {sympy.Symbol(f"{prefix}.{n}"): float(v) for n, v in zip(names(type(record)), flatten(record), strict=True)}


def test_the_page_holds_the_equations_that_run():
    """Signals, then each system, step by step from what the page is written from, against the generated code."""
    p = model.load_parameters()
    individual = model.Individual(personalise(OLDER, p), p)
    state = build(model.State, start.rest(individual) * 1.2 + 0.01)
    inputs = model.Inputs(*np.linspace(0.1, 2.0, len(model.Inputs._fields)))
    whole = numbers(state, "state") | numbers(individual, "individual") | numbers(inputs, "input")
    for step in TOOL.joined().steps:
        whole[step.symbol] = evaluated(step.expression, whole)
    found = []
    for name in model.State._fields:
        own, values = TOOL.system(name), {}
        for argument, symbols in own.arguments.items():
            given = TOOL.joined().calls[name][argument]
            for symbol, value in zip(flatten((symbols,)), flatten((given,)), strict=True):
                values[symbol] = evaluated(sympy.sympify(value), whole)
        for step in own.steps:
            values[step.symbol] = evaluated(step.expression, values)
        found += [evaluated(rate, values) for rate in own.rates]
    exact = np.zeros(len(found))
    model.traced().rates(np.array(flatten(state)), start.vector(individual), np.array(inputs, float), exact)
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-12)


def test_every_symbol_of_a_system_is_written_once():
    for name in TOOL.TITLES:
        own = TOOL.system(name)
        used = set().union(*(e.free_symbols for e in (*own.rates, *(s.expression for s in own.steps))))
        written = TOOL.written(used, name)
        assert len(set(written.values())) == len(written), name


def test_every_number_of_the_model_says_its_unit():
    """Comments beside fields are what the page and the SBML file tell a reader; a chain says it once for all."""
    silent = [
        n for record in (model.Parameters, model.Inputs, model.Man) for n, c in described(record).items() if not c
    ]
    assert silent == []


def helper(x):
    return (x + 1) ** 2


def outer(x, y):
    return helper(x) * y + helper(x) / helper(y)


def test_a_helper_called_twice_with_the_same_argument_is_one_step():
    recorder = Recorder(__name__.split(".")[0])
    x, y = sympy.symbols("x y")
    result = recorder.run(outer, x, y)
    assert [str(step.symbol) for step in recorder.steps] == ["step.helper", "step.helper_2"]
    assert result.free_symbols == {y, *(step.symbol for step in recorder.steps)}
    assert helper(3) == 16  # the functions themselves are as they were


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (latex.words("germ_cells_3", "upright"), r"\mathrm{germ\ cells}_{3}"),
        (latex.words("LH", "upright", "0"), r"\mathrm{LH}_{0}"),
        (latex.letter("tau_Lambda"), r"\tau_{\Lambda}"),
        (latex.letter("floor"), r"\mathrm{floor}"),
        (latex.letter("k_I", "testis"), r"k_{I,\mathrm{testis}}"),
    ],
)
def test_names_become_letters_and_words(written, expected):
    assert written == expected
