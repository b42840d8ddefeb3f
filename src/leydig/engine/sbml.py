"""Traced equations as an SBML Level 3 Version 1 model: rate rules, assignment rules, and inputs as closed forms.

Every state is a parameter with a rate rule, every shared sub-expression of the straight-line code an assignment rule.
Inputs stay in closed form, so a dose adds no state: a term is ``(a + b*tau) exp(-rate*tau)`` with tau the hours since
its latest event, and a repeating event moves ``a`` and ``b`` on. What is due at time 0 is in the initial values.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from leydig.engine.inputs import InputTable
from leydig.engine.repeats import Group, Repeat, grouped
from leydig.engine.sbml_file import Model, apply, ci, cn, identifier, time
from leydig.engine.trace import Traced

__all__ = ["document", "identifier"]


def document(
    traced: Traced,
    state: Sequence[float] | np.ndarray,
    parameters: Sequence[float] | np.ndarray,
    inputs: InputTable,
    *,
    name: str = "model",
    notes: Mapping[str, str] | None = None,
    about: Sequence[str] = (),
) -> str:
    """SBML text of the equations from time 0 (h) on; it needs no library.

    ``state`` (n states,) is the state at time 0, ``parameters`` (n parameters,) the constants, ``inputs`` what acts
    from outside. Identifiers are ``identifier`` of the dotted names; only constants that an equation uses are written.
    ``notes`` says what a dotted name means, ``about`` is one paragraph each about the whole model. Raises ValueError
    where two quantities would have one identifier.
    """
    rules, rates = _assignments(traced)
    used = {node.id for rule in [*rules.values(), *rates] for node in ast.walk(rule) if isinstance(node, ast.Name)}
    model = Model(name, notes or {}, about)
    identifiers = _identifiers(traced)
    for dotted, value in zip(traced.states, state, strict=True):
        model.parameter(identifier(dotted), value, dotted, constant=False)
    for symbol, dotted, value in zip(
        _symbols("p", traced.parameters), traced.parameters, np.asarray(parameters, float), strict=True
    ):
        if symbol in used:
            model.parameter(identifier(dotted), value, dotted)
    _channels(model, traced.inputs, grouped(inputs))
    for shared in rules:
        model.parameter(shared, None, "", constant=False)
    for shared, expression in rules.items():
        model.rule("assignmentRule", shared, _math(expression, identifiers))
    for dotted, expression in zip(traced.states, rates, strict=True):
        model.rule("rateRule", identifier(dotted), _math(expression, identifiers))
    return model.text()


# The generated code -------------------------------------------------------------------------------


def _symbols(letter: str, names: Iterable[str]) -> list[str]:
    """What the generated code calls its slots."""
    return [f"{letter}_{identifier(name)}" for name in names]


def _identifiers(traced: Traced) -> dict[str, str]:
    """SBML identifier of every symbol of the generated code that is a slot."""
    groups = (("s", traced.states), ("p", traced.parameters), ("u", traced.inputs))
    found = {
        symbol: identifier(name)
        for letter, names in groups
        for symbol, name in zip(_symbols(letter, names), names, strict=True)
    }
    if len(set(found.values())) < len(found):
        raise ValueError("a state, a parameter and an input must not share a name")
    return found


def _assignments(traced: Traced) -> tuple[dict[str, ast.expr], list[ast.expr]]:
    """Shared sub-expressions by name, in order, and the rate of every state, from the generated function's text."""
    tree = ast.parse(traced.source)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "rates")
    slots = set(_identifiers(traced))
    shared: dict[str, ast.expr] = {}
    rates: dict[int, ast.expr] = {}
    for line in function.body:
        assert isinstance(line, ast.Assign)
        target = line.targets[0]
        if isinstance(target, ast.Subscript):
            rates[ast.literal_eval(target.slice)] = line.value
        elif isinstance(target, ast.Name) and target.id not in slots:
            shared[target.id] = line.value
    return shared, [rates[i] for i in range(len(traced.states))]


# Mathematics --------------------------------------------------------------------------------------

OPERATORS: dict[type, str] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "times",
    ast.Div: "divide",
    ast.Pow: "power",
}


def _math(node: ast.expr, identifiers: Mapping[str, str]) -> Element:
    """MathML of an expression of the generated code: arithmetic and square roots."""
    match node:
        case ast.Name(id=symbol):
            return ci(identifiers.get(symbol, symbol))
        case ast.Constant(value=int() | float() as value):
            return cn(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return apply("minus", _math(operand, identifiers))
        case ast.Call(func=ast.Name(id="sqrt"), args=[operand]):
            return apply("root", _math(operand, identifiers))
        case ast.BinOp(left=left, op=operation, right=right):
            return apply(OPERATORS[type(operation)], _math(left, identifiers), _math(right, identifiers))
    raise ValueError(f"the generated equations hold {ast.unparse(node)}, which SBML is not told how to write")


# Inputs -------------------------------------------------------------------------------------------


class _Names(NamedTuple):
    """Identifiers of what is constant between the events of one term: None where it is a number."""

    a: Element
    b: Element | None


def _channels(model: Model, channels: Sequence[str], groups: Sequence[Group]) -> None:
    """Every input: a constant, or an assignment rule of time and of what its events have set."""
    parts: dict[int, list[Element]] = {}
    flat: dict[int, float] = {}
    count = [0] * len(channels)
    for number, group in enumerate(groups, 1):
        latest = f"latest_{number}"
        names = []
        moving = bool(group.repeats)
        for place, term in enumerate(group.terms):
            if not moving and term.rate == 0 and term.b == 0:
                flat[term.channel] = term.a
                continue
            count[term.channel] += 1
            ramps = term.b != 0 or any(r.ramp[place] for r in group.repeats)
            stem = f"{identifier(channels[term.channel])}__{count[term.channel]}"
            if moving:
                model.parameter(f"{stem}__a", term.a, "", constant=False)
                if ramps:
                    model.parameter(f"{stem}__b", term.b, "", constant=False)
                own = _Names(ci(f"{stem}__a"), ci(f"{stem}__b") if ramps else None)
                tau = apply("minus", time(), ci(latest))
            else:
                own = _Names(cn(term.a), cn(term.b) if ramps else None)
                tau = time()
            names.append(own)
            parts.setdefault(term.channel, []).append(_term(own, term.rate, tau))
        if moving:
            model.parameter(latest, 0.0, "", constant=False)
            for which, repeat in enumerate(group.repeats, 1):
                _event(model, f"{number}_{which}", latest, group, repeat, names)
    for channel, name in enumerate(channels):
        terms = parts.get(channel, [])
        if not terms:
            model.parameter(identifier(name), flat.get(channel, 0.0), name)
            continue
        if channel in flat:
            terms.insert(0, cn(flat[channel]))
        model.parameter(identifier(name), None, name, constant=False)
        model.rule("assignmentRule", identifier(name), terms[0] if len(terms) == 1 else apply("plus", *terms))


def _term(own: _Names, rate: float, tau: Element) -> Element:
    """(a + b*tau) exp(-rate*tau)"""
    size = own.a if own.b is None else apply("plus", own.a, apply("times", own.b, tau))
    return size if rate == 0 else apply("times", size, _faded(rate, tau))


def _faded(rate: float, tau: Element) -> Element:
    return apply("exp", apply("times", cn(-rate), tau))


def _event(model: Model, label: str, latest: str, group: Group, repeat: Repeat, names: Sequence[_Names]) -> None:
    """One repeating event: what each term is by then, plus the jump; then its next time."""
    due, last = f"due_{label}", repeat.first + (repeat.times - 0.5) * repeat.interval
    model.parameter(due, repeat.first, "", constant=False)
    tau = apply("minus", ci(due), ci(latest))
    assigned: dict[str, Element] = {}
    for own, term, jump, ramp in zip(names, group.terms, repeat.jump, repeat.ramp, strict=True):
        assigned[str(own.a.text)] = apply("plus", _term(own, term.rate, tau), cn(jump))
        if own.b is not None:
            kept = own.b if term.rate == 0 else apply("times", own.b, _faded(term.rate, tau))
            assigned[str(own.b.text)] = apply("plus", kept, cn(ramp))
    assigned[latest] = ci(due)
    assigned[due] = apply("plus", ci(due), cn(repeat.interval))
    trigger = apply("and", apply("geq", time(), ci(due)), apply("lt", ci(due), cn(last)))
    model.event(f"event_{label}", trigger, assigned)
