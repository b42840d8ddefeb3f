"""An SBML Level 3 Version 1 document that is being written, and MathML: text only, no library."""

import math
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

CORE = "http://www.sbml.org/sbml/level3/version1/core"
MATHML = "http://www.w3.org/1998/Math/MathML"
TIME = "http://www.sbml.org/sbml/symbols/time"
XHTML = "http://www.w3.org/1999/xhtml"
SECONDS_PER_HOUR = "3600"


def identifier(name: str) -> str:
    """The SBML identifier of a dotted name."""
    return name.replace(".", "__")


# Mathematics --------------------------------------------------------------------------------------


def apply(operator: str, *operands: Element) -> Element:
    """An operator or function on its operands."""
    applied = Element("apply")
    SubElement(applied, operator)
    applied.extend(operands)
    return applied


def ci(text: str) -> Element:
    """A quantity by its identifier."""
    named = Element("ci")
    named.text = text
    return named


def cn(value: float) -> Element:
    """A number, with all its digits."""
    written = _digits(value)
    number = Element("cn")
    mantissa, _, exponent = written.partition("e")
    number.text = mantissa
    if exponent:
        number.set("type", "e-notation")
        SubElement(number, "sep").tail = str(int(exponent))
    elif written.endswith(".0"):
        number.set("type", "integer")
        number.text = mantissa[:-2]
    return number


def time() -> Element:
    """The model's time."""
    time = Element("csymbol", encoding="text", definitionURL=TIME)
    time.text = "time"
    return time


def _digits(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"a model cannot hold the number {value}")
    return repr(float(value))


# The document -------------------------------------------------------------------------------------


class Model:
    """An SBML model that is being written."""

    def __init__(self, name: str, notes: Mapping[str, str], about: Sequence[str]):
        self.root = Element("sbml", xmlns=CORE, level="3", version="1")
        self.model = SubElement(self.root, "model", id=identifier(name), name=name, timeUnits="hour")
        if about:
            _note(self.model, about)
        units = SubElement(SubElement(self.model, "listOfUnitDefinitions"), "unitDefinition", id="hour")
        hour = SubElement(SubElement(units, "listOfUnits"), "unit")
        hour.attrib |= {"kind": "second", "exponent": "1", "scale": "0", "multiplier": SECONDS_PER_HOUR}
        self.parameters = SubElement(self.model, "listOfParameters")
        self.rules = SubElement(self.model, "listOfRules")
        self.events = Element("listOfEvents")
        self.notes = notes
        self.identifiers: set[str] = set()

    def parameter(self, own: str, value: float | None, dotted: str, constant: bool = True) -> None:
        """A quantity: its identifier, value (None where a rule gives it) and dotted name, empty for helpers."""
        if own in self.identifiers:
            raise ValueError(f"two quantities of the model would be called {own}")
        self.identifiers.add(own)
        written = SubElement(self.parameters, "parameter", id=own, constant="true" if constant else "false")
        if dotted:
            written.set("name", dotted)
        if value is not None:
            written.set("value", _digits(value))
        if self.notes.get(dotted):
            _note(written, [self.notes[dotted]])

    def rule(self, kind: str, variable: str, expression: Element) -> None:
        """An ``assignmentRule`` or ``rateRule``."""
        SubElement(self.rules, kind, variable=variable).append(_in_math(expression))

    def event(self, own: str, trigger: Element, assigned: Mapping[str, Element]) -> None:
        """What is assigned, all from values before the event, whenever the trigger becomes true after time 0."""
        event = SubElement(self.events, "event", id=own, useValuesFromTriggerTime="true")
        SubElement(event, "trigger", initialValue="false", persistent="true").append(_in_math(trigger))
        assignments = SubElement(event, "listOfEventAssignments")
        for variable, expression in assigned.items():
            SubElement(assignments, "eventAssignment", variable=variable).append(_in_math(expression))

    def text(self) -> str:
        """The file, one line per quantity, rule and event."""
        if len(self.events):
            self.model.append(self.events)
        for parent in (self.root, self.model, self.parameters, self.rules, self.events):
            parent.text = "\n"
            for child in parent:
                child.tail = "\n"
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(self.root, encoding="unicode") + "\n"


def _note(element: Element, paragraphs: Sequence[str]) -> None:
    notes = SubElement(element, "notes")
    for paragraph in paragraphs:
        SubElement(notes, "p", xmlns=XHTML).text = paragraph


def _in_math(expression: Element) -> Element:
    whole = Element("math", xmlns=MATHML)
    whole.append(expression)
    return whole
