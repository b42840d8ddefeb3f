"""What protocol text can name: each drug in each form, its dose units and the doses that it takes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from leydig.errors import InputError, ModelWarning, nearest
from leydig.pharmacology.protocol import PER_DAY, Regimen
from leydig.pharmacology.schedule import write_number


class Product(NamedTuple):
    """A drug in one form, as protocol text names and doses it."""

    drug: str
    form: str | None  # None for the drug's usual form
    unit: str  # of the dose: mg, IU, ...; with "/day" where it is given without pause
    units: Mapping[str, float]  # accepted units, without "/day": the size of each in ``unit``
    accepted: tuple[float, float]  # a dose outside is refused
    usual: tuple[float, float]  # a dose outside is warned of

    @property
    def name(self) -> str:
        return f"{self.drug} {self.form}" if self.form else self.drug

    @property
    def continuous(self) -> bool:
        return self.unit.endswith(PER_DAY)


Catalogue = Mapping[str, Product]


def bundled() -> dict[str, Product]:
    """The drugs of the package under every name: their own, their synonyms, and name and form together."""
    from leydig.pharmacology import drugs

    products = {}
    for drug in drugs.catalogue().values():
        sizes = {drug.dose.unit: 1.0, **drug.dose.units}
        units = {unit.removesuffix(PER_DAY): size for unit, size in sizes.items()}
        for form in (*drug.forms, drug.default_form):
            own = None if form == drug.default_form else form
            product = Product(drug.name, own, drug.dose.unit, units, drug.dose.accepted, drug.dose.usual)
            products[f"{drug.name} {form}"] = product
        products |= dict.fromkeys((drug.name, *drug.synonyms), product)
    return products


def known_products(catalogue: Catalogue | None) -> dict[str, Product]:
    """Products by lower-case name; the bundled ones unless a catalogue is given."""
    products = bundled() if catalogue is None else catalogue
    own_names = {product.name.lower(): product for product in products.values()}
    return {name.lower(): product for name, product in products.items()} | own_names


def unknown_drug(name: str, known: Catalogue) -> str:
    names = list(dict.fromkeys(product.name for product in known.values()))
    close = nearest(name, names)
    question = f'did you mean "{close}"? Known' if close else "known"
    return f"unknown drug; {question}: {', '.join(names)}"


def refused(product: Product, amount: float) -> str | None:
    """Why the dose is refused, or None; warns where it is only unusual."""

    def within(limits: tuple[float, float]) -> str:
        return f"{write_number(limits[0])} to {write_number(limits[1])} {product.unit}"

    dose = f"{product.name} {write_number(amount)} {product.unit}"
    if not product.accepted[0] <= amount <= product.accepted[1]:
        return f"{dose} is outside the accepted range, {within(product.accepted)}"
    if not product.usual[0] <= amount <= product.usual[1]:
        warnings.warn(f"{dose} is outside the usual range, {within(product.usual)}", ModelWarning, stacklevel=2)
    return None


def checked_regimen(regimen: Regimen, known: Catalogue) -> Regimen:
    """The regimen under the catalogue's name for its drug; InputError for a wrong drug, unit or dose."""
    product = known.get(regimen.name.lower())
    if product is None:
        raise InputError(f'"{regimen.name}": {unknown_drug(regimen.name, known)}')
    if regimen.unit != product.unit:
        raise InputError(f'{product.name} is dosed in {product.unit}, not in "{regimen.unit}"')
    refusal = refused(product, regimen.amount)
    if refusal:
        raise InputError(refusal)
    return replace(regimen, drug=product.drug, form=product.form)
