"""Input that cannot be used: one exact sentence on standard error, exit code 2, nothing printed, nothing written."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from leydig.cli import main
from leydig.grading import alternatives

PLAN = ["--protocol", "anastrozole 1 mg daily for 4 weeks"]
RUN = ["simulate", "older-man", *PLAN]

# Lists of names that messages repeat.
KEYS = (
    "name, age, height, weight, BMI, condition, labs, semen, dxa, drugs, partner, wants_children, does_not_apply, "
    "published"
)
LAB_KEYS = "analyte, value, unit, date, time, assay"
SEMEN_KEYS = "concentration, volume, total_motility, normal_morphology, date, abstinence"
ANALYTES = (
    "testosterone, free_testosterone, bioavailable_testosterone, estradiol, free_estradiol, estrone, "
    "dihydrotestosterone, LH, FSH, inhibin_B, SHBG, CTX, P1NP, albumin, LDL, HDL, total_cholesterol, "
    "triglycerides, glucose, CRP, hematocrit, PSA"
)
STEROID_UNITS = (
    "ng/dL, pg/mL, ng/L, pg/dL, ng/mL, ug/L, ug/dL, ug/mL, mg/L, mg/dL, g/dL, g/L, "
    "pmol/L, nmol/L, umol/L, mmol/L, pmol/mL, nmol/mL"
)
CONDITIONS = (
    "eugonadal, obese-hypogonadal, ageing-low-testosterone, oligozoospermic-subfertile, primary-failure, "
    "hypogonadotropic, aromatase-deficient, aromatase-excess, agonadal"
)
BUNDLED = (
    "aromatase-deficient-man, aromatase-excess-man, hypogonadotropic-man, man-on-testosterone, obese-man, "
    "obese-man-choosing, older-man, older-man-twice-weekly, oligozoospermic-man, trans-man, young-man"
)
DRUGS = (
    "DHT gel, FSH, FSH intramuscular, FSH intravenous, anastrozole, clomiphene, degarelix, enclomiphene, "
    "estradiol patch, exemestane, goserelin, goserelin three-month implant, goserelin solution, hCG, "
    "hCG subcutaneous, hCG intravenous, ketoconazole, letrozole, leuprolide, leuprolide three-month depot, "
    "leuprolide solution, testolactone, testosterone cypionate, testosterone enanthate, testosterone gel, "
    "testosterone infusion, testosterone undecanoate, zuclomiphene"
)
VERBS = "simulate, population, trial, reproduce, meta, evidence, new, cite, doctor"
OPTIONS = (
    "--protocol, --titrate, --days, --bands, --draws, --seed, --start-weekday, --assume, --out, --samples, --minutes, "
    "--at-day, --json, --help"
)
SUFFIXES = ".json, .csv, .parquet, .nc, .html, or a folder, written with / at its end"
DOSE = 'expected the dose of anastrozole in mg or ug, such as "1 mg"'
STEP = 'expected a drug with its dose, such as "anastrozole 1 mg daily for 12 weeks", or "none"'
DRAWS = "it must be a whole number from 200 to 10,000"
DAYS = 'it must be a number of days such as 365, or a length such as "2 years"'
SEED = "it must be a whole number from 0 to 4,294,967,295"
RESULTS = (
    "PSA, erectile_function_score, sperm_concentration, semen_volume, total_motility, normal_morphology, "
    "total_sperm_count, total_motile_sperm_count, conception_probability, cumulative_conception_probability"
)
FINDINGS = ", ".join(alternatives())
LONG = "x" * 40 + "…"

T = "analyte: testosterone, value: 343 ng/dL"


def lab(text: str) -> str:
    return f"age: 40\nlabs:\n  - {{{text}}}\n"


# What man.yaml holds, and what is said.
FILES: dict[str, tuple[str | bytes, str]] = {
    "key unknown": ("age: 40\nlab: []\n", f'unknown key "lab" in man.yaml; did you mean "labs"? Allowed: {KEYS}'),
    "key of a lab misspelt": (
        lab("analyte: LH, valeu: 5 IU/L"),
        f'unknown key "valeu" in labs[0] of man.yaml; did you mean "value"? Allowed: {LAB_KEYS}',
    ),
    "key of a sample short": (
        "age: 40\nsemen:\n  - {motility: 38 %}\n",
        f'unknown key "motility" in semen[0] of man.yaml; did you mean "total_motility"? Allowed: {SEMEN_KEYS}',
    ),
    "key twice": ("age: 40\nage: 41\n", 'the name "age" stands twice in one place (again at line 2), in man.yaml'),
    "key a number": ("age: 40\n5: x\n", "the name 5 at line 2 must be text; put it in quotes, in man.yaml"),
    "analyte unknown": (
        lab("analyte: testosteron, value: 343 ng/dL"),
        f'unknown analyte "testosteron" in labs[0] of man.yaml; did you mean "testosterone"? Allowed: {ANALYTES}',
    ),
    "analyte missing": (lab("value: 343 ng/dL"), '"analyte" is missing in labs[0] of man.yaml'),
    "value missing": (lab("analyte: LH"), '"value" is missing in labs[0] of man.yaml'),
    "unit unknown": (
        lab("analyte: testosterone, value: 343 mg/ml"),
        f'unknown unit of testosterone "mg/ml" in labs[0] of man.yaml; did you mean "mg/L"? Allowed: {STEROID_UNITS}',
    ),
    "unit of another kind": (
        lab("analyte: LH, value: 5 ng/mL"),
        'unknown unit of LH "ng/mL" in labs[0] of man.yaml; did you mean "mU/mL"? '
        "Allowed: IU/L, mIU/mL, U/L, mU/mL, IU/mL, mIU/L",
    ),
    "unit missing": (
        lab("analyte: testosterone, value: 343"),
        f'testosterone "343" in labs[0] of man.yaml needs a unit; allowed: {STEROID_UNITS}',
    ),
    "assay unknown": (
        lab(f"{T}, assay: imunoassay"),
        'unknown assay "imunoassay" in labs[0] of man.yaml; did you mean "immunoassay"? '
        "Allowed: LC-MS/MS, immunoassay, RIA, unknown, LC-MS",
    ),
    "condition unknown": (
        "age: 40\ncondition: obese-hypogonadol\n",
        f'unknown condition "obese-hypogonadol" in man.yaml; did you mean "obese-hypogonadal"? Allowed: {CONDITIONS}',
    ),
    "site unknown": (
        "age: 40\ndxa:\n  - {site: wrist, bmd: 1 g/cm2}\n",
        'unknown site "wrist" in dxa[0] of man.yaml; allowed: spine, hip',
    ),
    "device misspelt": (
        "age: 40\ndxa:\n  - {site: spine, bmd: 1 g/cm2, device: hologik}\n",
        'unknown device "hologik" in dxa[0] of man.yaml; did you mean "Hologic"? Allowed: Hologic, Lunar, unknown',
    ),
    "LH 5000": (
        lab("analyte: LH, value: 5000 IU/L"),
        "LH 5000 IU/L in labs[0] of man.yaml is impossible; accepted: 0 to 200 IU/L",
    ),
    "testosterone negative": (
        lab("analyte: testosterone, value: -3 ng/dL"),
        "testosterone -3 ng/dL in labs[0] of man.yaml is impossible; accepted: 0 to 5000 ng/dL",
    ),
    "value not a number": (
        lab("analyte: testosterone, value: nan ng/dL"),
        '"nan ng/dL" is not a number and a unit for testosterone in labs[0] of man.yaml; write it like "343 ng/dL"',
    ),
    "value infinite": (
        lab("analyte: testosterone, value: 1e999 ng/dL"),
        '"1e999 ng/dL" is not a number and a unit for testosterone in labs[0] of man.yaml; write it like "343 ng/dL"',
    ),
    "motility above 100": (
        "age: 40\nsemen:\n  - {total_motility: 138 %}\n",
        "total_motility 138 % in semen[0] of man.yaml is impossible; accepted: 0 to 100 %",
    ),
    "sample without a result": (
        "age: 40\nsemen:\n  - {date: 2026-01-02}\n",
        "semen[0] of man.yaml holds no result; give at least one of "
        "concentration, volume, total_motility, normal_morphology",
    ),
    "abstinence of a year": (
        "age: 40\nsemen:\n  - {concentration: 9 10^6/mL, abstinence: 400 d}\n",
        "abstinence 400 d in semen[0] of man.yaml is impossible; accepted: 0 to 60 d",
    ),
    "bone like steel": (
        "age: 40\ndxa:\n  - {site: spine, bmd: 9 g/cm2}\n",
        "bmd_spine 9 g/cm2 in dxa[0] of man.yaml is impossible; accepted: 0.3 to 2.5 g/cm2",
    ),
    "BMI 3": ("age: 40\nBMI: 3\n", "BMI 3 in man.yaml is impossible; accepted: 12 to 90 kg/m2"),
    "BMI from height and weight": (
        "age: 40\nheight: 176 cm\nweight: 330 kg\n",
        "BMI 106.5 kg/m2 (from height and weight) in man.yaml is impossible; accepted: 12 to 90 kg/m2",
    ),
    "height in kilograms": (
        "age: 40\nheight: 176 kg\n",
        'unknown unit of height "kg" in man.yaml; allowed: cm, m, in, mm',
    ),
    "height without a unit": (
        "age: 40\nheight: 1.76\n",
        'height "1.76" in man.yaml needs a unit; allowed: cm, m, in, mm',
    ),
    "height in the wrong unit": (
        "age: 40\nheight: 1.76 cm\n",
        "height 1.76 cm in man.yaml is impossible; accepted: 120 to 240 cm",
    ),
    "weight negative": ("age: 40\nweight: -80 kg\n", "weight -80 kg in man.yaml is impossible; accepted: 35 to 350 kg"),
    "age missing": ("name: he\n", '"age" is missing in man.yaml; it is the only value that must be given'),
    "age negative": (
        "age: -4\n",
        "age -4 in man.yaml is outside what this model covers; accepted: 18 to 100 years",
    ),
    "age 200": ("age: 200\n", "age 200 in man.yaml is outside what this model covers; accepted: 18 to 100 years"),
    "age in words": (
        "age: forty\n",
        '"forty" is not a number and a unit for age in man.yaml; write it like "343 year"',
    ),
    "age not a number": (
        "age: .nan\n",
        '".nan" is not a number and a unit for age in man.yaml; write it like "343 year"',
    ),
    "date impossible": (lab(f"{T}, date: 2026-13-45"), "man.yaml holds an impossible value: month must be in 1..12"),
    "date in words": (
        lab(f"{T}, date: yesterday"),
        'the date "yesterday" in labs[0] of man.yaml cannot be read; write it like 2026-01-31',
    ),
    "time impossible": (
        lab(f'{T}, time: "25:00"'),
        'the time "25:00" in labs[0] of man.yaml cannot be read; write it like "08:00"',
    ),
    "labs not a list": (
        "age: 40\nlabs: {testosterone: 343 ng/dL}\n",
        '"labs" in man.yaml must be a list; begin each entry with a dash',
    ),
    "a lab that is text": (
        "age: 40\nlabs: [testosterone]\n",
        "labs[0] of man.yaml must be a mapping of names to values",
    ),
    "a drug that he takes": (
        "age: 40\ndrugs: [anastrazole 1 mg daily]\n",
        'protocol, at word 1 "anastrazole": unknown drug; did you mean "anastrozole"? '
        f"Known: {DRUGS}, in drugs[0] of man.yaml",
    ),
    "drugs not a list": (
        "age: 40\ndrugs: anastrozole 1 mg daily\n",
        '"drugs" in man.yaml must be a list of protocol texts such as ["anastrozole 1 mg daily"]',
    ),
    "partner that is no mapping": (
        "age: 40\npartner: a wife of 33\n",
        "partner of man.yaml must be a mapping such as {age: 33, months_trying: 14}",
    ),
    "partner beyond the age covered": (
        "age: 40\npartner: {age: 55}\n",
        "age 55 in partner of man.yaml is outside what this model covers; accepted: 15 to 50 years",
    ),
    "wish for children in words": (
        "age: 40\nwants_children: perhaps\n",
        '"wants_children" in man.yaml must be true or false, not "perhaps"',
    ),
    "a result that does not apply misspelt": (
        "age: 40\ndoes_not_apply: [PSAA]\n",
        f'unknown result "PSAA" in does_not_apply of man.yaml; did you mean "PSA"? Allowed: {RESULTS}',
    ),
    "a result that does not apply and is measured": (
        "age: 40\nlabs:\n  - {analyte: PSA, value: 1 ng/mL}\ndoes_not_apply: [PSA]\n",
        'PSA of man.yaml is measured in "labs", so it cannot be in "does_not_apply"',
    ),
    "a change of weight among drugs": (
        'age: 40\ndrugs: ["weight -10 % over 6 months"]\n',
        'drugs[0] of man.yaml changes his weight, which "weight" or "BMI" already states as it is; '
        "a change belongs into the protocol",
    ),
    "results that do not apply, not a list": (
        "age: 40\ndoes_not_apply: PSA\n",
        '"does_not_apply" in man.yaml must be a list of results such as [PSA, erectile_function_score]',
    ),
    "alias": (
        "a: &a [1]\nage: *a\n",
        "man.yaml uses an anchor or alias (& or *) at line 1; write the value out",
    ),
    "bomb": (
        "name: x\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b]\n",
        "man.yaml uses an anchor or alias (& or *) at line 2; write the value out",
    ),
    "tag that runs code": (
        "age: !!python/object/apply:os.system ['touch owned']\n",
        "man.yaml is not valid YAML at line 1: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object/apply:os.system'",
    ),
    "deep nesting": ("age: " + "[" * 200 + "]" * 200, "man.yaml is nested deeper than 30 levels at line 1"),
    "huge": ("age: 40\n#" + "x" * 1_000_000, "man.yaml is larger than the 1000000 bytes that are accepted"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\xff", "man.yaml is not UTF-8 text (byte 0)"),
    "empty": ("", "man.yaml is empty; it must hold names and values"),
    "a list": ("- 1\n- 2\n", "man.yaml must hold names and values at its top level, not a list"),
    "broken YAML": ("age: [40\n", "man.yaml is not valid YAML at line 2: did not find expected ',' or ']'"),
}

# A protocol, and what is said of it.
PROTOCOLS = {
    "drug misspelt": (
        "anastrazole 1 mg daily",
        f'protocol, at word 1 "anastrazole": unknown drug; did you mean "anastrozole"? Known: {DRUGS}',
    ),
    "drug unknown": ("aspirin 1 mg daily", f'protocol, at word 1 "aspirin": unknown drug; known: {DRUGS}'),
    "markup": ("<b>x</b>", f'protocol, at word 1 "<b>x</b>": unknown drug; known: {DRUGS}'),
    "unit misspelt": ("anastrozole 1 mgg daily", f'protocol, at word 3 "mgg": {DOSE}; did you mean "mg"?'),
    "unit of another drug": ("anastrozole 1 IU daily", f'protocol, at word 3 "IU": {DOSE}'),
    "unit missing": ("anastrozole 1 daily", f'protocol, at word 3 "daily": {DOSE}'),
    "dose missing": ("anastrozole daily", f'protocol, at word 2 "daily": {DOSE}'),
    "dose negative": ("anastrozole -1 mg daily", f'protocol, at word 2 "-1": {DOSE}'),
    "dose zero": ("anastrozole 0 mg daily", 'protocol, at word 2 "0": a number must be from 0.000001 to 1000000'),
    "dose 1 kg": ("anastrozole 1 kg daily", f'protocol, at word 3 "kg": {DOSE}'),
    "dose 1 kg in mg": (
        "anastrozole 1000000 mg daily",
        'protocol, at word 2 "1000000": anastrozole 1000000 mg is outside the accepted range, 0.01 to 60 mg',
    ),
    "dose with a comma": (
        "anastrozole 1,5 mg daily",
        'protocol, at word 2 "1,5": has a comma inside; write numbers such as "1500" or "0.5"',
    ),
    "empty": ("", f"protocol, at the end: {STEP}"),
    "only then": ("then", f'protocol, at word 1 "then": {STEP}'),
    "plus at the end": ("anastrozole 1 mg daily +", f'protocol, at the end, after "+": {STEP}'),
    "plus at the start": ("+ anastrozole 1 mg daily", f'protocol, at word 1 "+": {STEP}'),
    "schedule misspelt": (
        "anastrozole 1 mg dayly",
        'protocol, at word 4 "dayly": expected how often, such as "daily", "twice weekly", "every 36 hours", '
        '"Mon Wed Fri", "once"; did you mean "daily"?',
    ),
    "schedule missing": (
        "anastrozole 1 mg",
        'protocol, at the end, after "mg": expected how often, such as "daily", "twice weekly", "every 36 hours", '
        '"Mon Wed Fri", "once"',
    ),
    "schedule ambiguous": (
        "anastrozole 1 mg biweekly",
        'protocol, at word 4 "biweekly": can mean two things; write "twice weekly" or "every 2 weeks"',
    ),
    "weekday misspelt": (
        "anastrozole 1 mg Mon Thurz",
        'protocol, at word 5 "Thurz": expected "for", "from", "starting", "after", "missing", "then", "+" or the end; '
        'did you mean "Thu"?',
    ),
    "weekday twice": ("anastrozole 1 mg Mon Mon", 'protocol, at word 5 "Mon": Mon is named twice; name each day once'),
    "length negative": (
        "anastrozole 1 mg daily for -3 weeks",
        'protocol, at word 6 "-3": expected a length of time, such as "12 weeks"',
    ),
    "length zero": (
        "anastrozole 1 mg daily for 0 weeks",
        'protocol, at word 6 "0": a number must be from 0.000001 to 1000000',
    ),
    "length of a millennium": (
        "anastrozole 1 mg daily for 1000 years",
        'protocol, at word 6 "1000": 1000 years is longer than 100 years',
    ),
    "unit of time misspelt": (
        "anastrozole 1 mg daily for 3 weaks",
        'protocol, at word 7 "weaks": expected a unit of time: hours, days, weeks, months, years; '
        'did you mean "weeks"?',
    ),
    "then after an open step": (
        "anastrozole 1 mg daily then letrozole 1 mg daily",
        'protocol, at word 5 "then": the step before "then" never ends; say for how long, such as "for 12 weeks"',
    ),
    "too many doses a day": (
        "anastrozole 1 mg 25 times daily",
        'protocol, at word 4 "25": the number of doses a day is 25; it must be a whole number from 1 to 24',
    ),
    "too many doses": (
        "anastrozole 1 mg every 0.001 hours for 4 weeks",
        "the protocol has more than 200,000 doses in 28 days",
    ),
    "missed dose that is none": (
        "anastrozole 1 mg daily for 4 weeks missing doses 90",
        'protocol, at word 8 "missing": "missing dose 90": anastrozole has fewer doses in 4 weeks',
    ),
    "lever that is not modelled": (
        "exercise daily",
        'protocol, at word 1 "exercise": exercise is not modelled: training as such leaves the resting testosterone of '
        'trial groups unchanged; write the weight change that it brings, such as "weight -5 % over 6 months"',
    ),
    "weight without %": (
        "weight -10 over 6 months",
        'protocol, at word 3 "over": expected a weight change in % of the weight at day 0, such as '
        '"weight -10 % over 6 months"',
    ),
    "weight beyond its limits": (
        "weight -80 % over 2 years",
        'protocol, at word 2 "-80": a weight change of -80 % is outside the accepted range, -60 to +60 %',
    ),
    "calcium too much": (
        "calcium 6000 mg daily",
        'protocol, at word 2 "6000": calcium 6000 mg a day is outside the accepted range, 1 to 5000 mg a day',
    ),
    "clomiphene in a unit of another kind": (
        "clomiphene 25 IU daily",
        'protocol, at word 3 "IU": expected the dose of clomiphene in mg, such as "1 mg"',
    ),
    "rate missing": (
        "testosterone infusion 5 mg daily",
        'protocol, at word 4 "mg": testosterone infusion runs without pause; write its rate, such as "1 mg/day"',
    ),
    "very long text": (
        "anastrozole 1 mg daily for 1 day then " * 400,
        "the protocol text has 15,200 characters; at most 10,000 are read",
    ),
    "too many steps": (
        "anastrozole 1 mg daily for 1 day" + " then 1 mg daily for 1 day" * 150,
        'protocol, at word 702 "1": begins step 101; a protocol has at most 100 steps',
    ),
}


class Line(NamedTuple):
    """A command line, the files that stand there before, and what is said."""

    arguments: list[str]
    said: str
    files: Mapping[str, str] = MappingProxyType({})


LINES = {
    "verb misspelt": Line(["simulat", "x"], f'unknown verb "simulat"; did you mean "simulate"? Allowed: {VERBS}'),
    "verb unknown": Line(["cure", "x"], f'unknown verb "cure"; allowed: {VERBS}'),
    "subject missing": Line(["simulate"], "SUBJECT is missing; leydig simulate --help shows an example"),
    "subject empty": Line(["simulate", "", *PLAN], "SUBJECT is empty; it must be a name or a path"),
    "subject not there": Line(
        ["simulate", "nobody.yaml", *PLAN],
        f'there is no file "nobody.yaml" and no bundled man of that name; Bundled: {BUNDLED}',
    ),
    "example misspelt": Line(
        ["simulate", "oldr-man", *PLAN],
        f'there is no file "oldr-man" and no bundled man of that name; did you mean "older-man"? Bundled: {BUNDLED}',
    ),
    "subject a folder": Line(["simulate", "men", *PLAN], "men is not an ordinary file", {"men/x": ""}),
    "subject a device": Line(["simulate", "/dev/zero", *PLAN], "/dev/zero is not an ordinary file"),
    "subject's name too long": Line(
        ["simulate", "x" * 300, *PLAN], f'SUBJECT "{LONG}" cannot be used: File name too long'
    ),
    "subject's name with a null": Line(["simulate", "a\0b", *PLAN], 'SUBJECT "a?b" cannot be used: embedded null byte'),
    "two subjects": Line(
        ["simulate", "older-man", "obese-man", *PLAN],
        'leydig simulate cannot use "obese-man"; put text of several words in quotes',
    ),
    "protocol missing": Line(
        ["simulate", "older-man"],
        'simulate needs --protocol TEXT, such as "anastrozole 1 mg daily for 12 weeks" or "none for 2 years"',
    ),
    "protocol not in quotes": Line(
        ["simulate", "older-man", "--protocol", "anastrozole", "1", "mg", "daily"],
        'leydig simulate cannot use "1 mg daily"; put text of several words in quotes',
    ),
    "second protocol": Line(
        [*RUN, "--protocol", "anastrozole 1 daily"], f'--protocol number 2: protocol, at word 3 "daily": {DOSE}'
    ),
    "option misspelt": Line(
        ["simulate", "older-man", "--protocl", "none"],
        f'unknown option "--protocl" in leydig simulate; did you mean "--protocol"? Allowed: {OPTIONS}',
    ),
    "option without its value": Line(
        ["simulate", "older-man", "--protocol"],
        "--protocol needs a value; leydig --help and leydig VERB --help show examples",
    ),
    "option with a value too many": Line(
        [*RUN, "--json=yes"], "--json takes no value; leydig --help and leydig VERB --help show examples"
    ),
    "no draws": Line([*RUN, "--bands", "--draws", "0"], f'--draws is "0"; {DRAWS}'),
    "draws negative": Line([*RUN, "--draws", "-5"], f'--draws is "-5"; {DRAWS}'),
    "draws in floating point": Line([*RUN, "--draws", "1e9"], f'--draws is "1e9"; {DRAWS}'),
    "too many draws": Line([*RUN, "--draws", "1000000000"], f'--draws is "1000000000"; {DRAWS}'),
    "draws empty": Line([*RUN, "--draws", ""], f'--draws is ""; {DRAWS}'),
    "more draws than memory": Line(
        [*RUN, "--draws", "10000", "--days", "2 years"],
        "10,000 draws of 730 days are more than fit into memory; draw at most 2,737",
    ),
    "longer bands than memory": Line(
        [*RUN, "--bands", "--days", "90 years", "--protocol", "none"],
        "200 draws of 32,872 days under 2 protocols are more than fit into memory; "
        "shorten the run or leave the bands out",
    ),
    "no days": Line([*RUN, "--days", "0"], '--days is "0"; it must be from 1 day to 100 years'),
    "days negative": Line([*RUN, "--days", "-3"], '--days is "-3"; it must be from 1 day to 100 years'),
    "too many days": Line([*RUN, "--days", "100000"], '--days is "100000"; it must be from 1 day to 100 years'),
    "days in words": Line([*RUN, "--days", "ten"], f'--days is "ten"; {DAYS}'),
    "days with a misspelt unit": Line(
        [*RUN, "--days", "2 yaers"],
        '--days has the unknown unit of time "yaers"; did you mean "years"? Allowed: hours, days, weeks, months, years',
    ),
    "seed in words": Line([*RUN, "--seed", "abc"], f'--seed is "abc"; {SEED}'),
    "seed a fraction": Line([*RUN, "--seed", "1.5"], f'--seed is "1.5"; {SEED}'),
    "seed negative": Line([*RUN, "--seed", "-1"], f'--seed is "-1"; {SEED}'),
    "weekday of day 0 misspelt": Line(
        [*RUN, "--start-weekday", "Mondy"],
        '--start-weekday has the unknown weekday "Mondy"; did you mean "Mon"? '
        "Allowed: Mon, Tue, Wed, Thu, Fri, Sat, Sun",
    ),
    "assumed finding misspelt": Line(
        [*RUN, "--assume", "estradiol-lowers-LDK"],
        'unknown alternative "estradiol-lowers-LDK" in what is assumed; did you mean "estradiol-lowers-LDL"? '
        f"Allowed: {FINDINGS}",
    ),
    "out empty": Line([*RUN, "--out", ""], "--out is empty; it must be a name or a path"),
    "out into a missing folder": Line(
        [*RUN, "--out", "nowhere/run.json"],
        "--out nowhere/run.json: there is no folder nowhere; create it or choose another",
    ),
    "out with an unknown suffix": Line(
        [*RUN, "--out", "run.xlsx"], f'--out run.xlsx has the unknown suffix ".xlsx"; allowed: {SUFFIXES}'
    ),
    "out with a misspelt suffix": Line(
        [*RUN, "--out", "run.jsn"],
        f'--out run.jsn has the unknown suffix ".jsn"; did you mean ".json"? Allowed: {SUFFIXES}',
    ),
    "out a folder, not a file": Line(
        [*RUN, "--out", "made.json"],
        "--out made.json is a folder; a file is to be written there, so choose another name",
        {"made.json/x": ""},
    ),
    "out a file, not a folder": Line(
        [*RUN, "--out", "made/"], "--out made/ should be a folder, but it is a file", {"made": ""}
    ),
    "out below a file": Line(
        [*RUN, "--out", "made/report/"], "--out made/report/ should be a folder, but made is a file", {"made": ""}
    ),
    "out onto a folder": Line(
        [*RUN, "--out", "made"],
        "--out made: made/report.html is a folder; a file is to be written there",
        {"made/report.html/x": ""},
    ),
    "out onto the subject": Line(
        ["simulate", "man.json", *PLAN, "--out", "man.json"],
        "--out man.json is the input file; choose another name",
        {"man.json": "age: 40"},
    ),
    "out too long": Line([*RUN, "--out", "x" * 300 + ".json"], f'--out "{LONG}" cannot be used: File name too long'),
    "new over a file": Line(
        ["new", "man.yaml"],
        "man.yaml is already there; choose another name, or overwrite it with --force",
        {"man.yaml": "age: 40"},
    ),
    "new over a folder": Line(["new", "men"], "men is a folder; name a file, such as men/man.yaml", {"men/x": ""}),
    "new into a missing folder": Line(
        ["new", "nowhere/man.yaml"], "there is no folder nowhere; create it or choose another"
    ),
    "cite of nothing": Line(["cite"], "SUBJECT|RUN.json is missing; leydig cite --help shows an example"),
    "cite without a protocol": Line(
        ["cite", "older-man"],
        'cite older-man needs --protocol TEXT, such as "anastrozole 1 mg daily"; or give it the JSON file of a run',
    ),
    "cite of a missing file": Line(["cite", "run.json"], "there is no file run.json"),
    "cite of broken JSON": Line(["cite", "run.json"], "run.json is not valid JSON at line 1", {"run.json": "{"}),
    "cite of deep JSON": Line(["cite", "run.json"], "run.json is not valid JSON", {"run.json": "[" * 100_000}),
    "cite of something else": Line(
        ["cite", "run.json"],
        "run.json is not a run of leydig; it must be what --json or --out FILE.json wrote",
        {"run.json": "[1]"},
    ),
    "cite of a run without sources": Line(
        ["cite", "run.json"], "run.json is not a run of leydig: it has no list of sources", {"run.json": "{}"}
    ),
    "cite of a run and a protocol": Line(
        ["cite", "run.json", *PLAN],
        "run.json is the file of a run, which has its protocol; leave --protocol out",
        {"run.json": '{"sources": []}'},
    ),
    "cite in two formats": Line(
        ["cite", "older-man", *PLAN, "--json", "--bibtex"], "--json and --bibtex exclude each other; choose one"
    ),
    "cite of an unknown source": Line(
        ["cite", "run.json", "--bibtex"],
        'unknown reference "leder2005x"; did you mean "leder2005"? Allowed: a key of a file in data/references',
        {"run.json": '{"sources": [{"key": "leder2005x", "reference": "", "verification": "", "used_for": ""}]}'},
    ),
    "doctor with something": Line(
        ["doctor", "now"], 'leydig doctor cannot use "now"; put text of several words in quotes'
    ),
}

CASES = {
    **{
        f"file, {name}": (["simulate", "man.yaml", *PLAN], {"man.yaml": content}, said)
        for name, (content, said) in FILES.items()
    },
    **{
        f"protocol, {name}": (["simulate", "older-man", "--protocol", text], {}, said)
        for name, (text, said) in PROTOCOLS.items()
    },
    **{f"line, {name}": (line.arguments, line.files, line.said) for name, line in LINES.items()},
}


def place(files: Mapping[str, str | bytes]) -> None:
    """Write files below the working folder."""
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def standing() -> list[str]:
    """Everything below the working folder."""
    return sorted(str(path) for path in Path().rglob("*"))


@pytest.mark.parametrize(("arguments", "files", "said"), CASES.values(), ids=CASES)
def test_bad_input_is_answered_with_one_sentence(arguments, files, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    place(files)
    before = standing()
    code = main(arguments)
    printed = capsys.readouterr()
    assert printed.err == f"error: {said}\n"
    assert code == 2
    assert printed.out == ""
    assert standing() == before


def test_there_are_enough_cases():
    assert len(CASES) >= 60


def test_what_may_not_be_read_or_written_is_refused(tmp_path, monkeypatch, capsys):
    """Permissions are simulated, since the superuser, as whom tests may run, has them all."""
    monkeypatch.chdir(tmp_path)
    place({"man.yaml": "age: 40\n", "locked/x": ""})

    def locked(path, mode):
        return Path(path) != Path("locked")

    def unreadable(path, **options):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "access", locked)
        assert main([*RUN, "--out", "locked/run.json"]) == 2
        assert capsys.readouterr().err == "error: --out locked/run.json: the folder locked cannot be written to\n"
        assert main([*RUN, "--out", "locked/made/"]) == 2
        assert capsys.readouterr().err == "error: --out locked/made/: the folder locked cannot be written to\n"
    monkeypatch.setattr(Path, "read_text", unreadable)
    assert main(["simulate", "man.yaml", *PLAN]) == 2
    assert capsys.readouterr().err == "error: man.yaml cannot be read: Permission denied\n"


def test_control_characters_of_the_input_do_not_reach_the_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "\x1b[31mred", *PLAN]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    ["line, verb misspelt", "line, option misspelt", "line, out with an unknown suffix", "file, tag that runs code"],
)
def test_the_installed_command_answers_alike(name, tmp_path, monkeypatch):
    """The same in a process of its own: no traceback, nothing on standard output."""
    arguments, files, said = CASES[name]
    monkeypatch.chdir(tmp_path)
    place(files)
    before = standing()
    done = subprocess.run(
        [sys.executable, "-m", "leydig", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {said}\n")
    assert standing() == before
