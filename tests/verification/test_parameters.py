"""Parameter, fit, YAML and bibliography files: what is refused, and in which words; what is shipped."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from leydig import bibliography, files, fits, parameters
from leydig.errors import InputError

GOOD = """\
system: steroids
parameters:
  testosterone_clearance:
    symbol: k_T
    value: 1.5
    unit: 1/h
    kind: measured
    source: veldhuis2010
    where: abstract
    between_men: {log_sd: 0.2}
  androgen_feedback_exponent:
    symbol: x
    unit: "1"
    kind: fitted
    fit: joint
    prior: {median: 0.6, log_sd: 1.0}
    bounds: [0.02, 4]
    source: leydig_fit
  signal_rate:
    symbol: k_S
    value: 4e-2
    unit: 1/h
    kind: assumed
    source: [assumed, veldhuis2010]
    note: a day
"""


class Good(NamedTuple):
    testosterone_clearance: float
    androgen_feedback_exponent: float
    signal_rate: float


def written(folder: Path, text: str, name: str = "steroids.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder of its own for parameters and fits, with the package's bibliography."""
    for module in (parameters, fits):
        monkeypatch.setattr(module, "DATA", tmp_path)
    written(tmp_path / "parameters", GOOD)
    parameters.load.cache_clear()
    fits.load_fit.cache_clear()
    yield tmp_path
    parameters.load.cache_clear()
    fits.load_fit.cache_clear()


def test_a_good_file_loads(data):
    loaded = parameters.load("steroids")
    assert parameters.systems() == ["steroids"]
    assert list(loaded) == list(Good._fields)
    clearance = loaded["testosterone_clearance"]
    assert (clearance.name, clearance.system, clearance.value) == ("testosterone_clearance", "steroids", 1.5)
    assert clearance.source == ("veldhuis2010",)
    assert clearance.between_men is not None and clearance.between_men.log_sd == 0.2
    assert loaded["signal_rate"].value == 0.04
    assert parameters.record(Good, "steroids") == Good(1.5, 0.6, 0.04)


FIT = """\
fit: joint
made_by: make calibrate
parameters:
  steroids.androgen_feedback_exponent: {value: 0.8, scale: log, standard_error: 0.1}
  other.thing: {value: -2, scale: natural, standard_error: 0.5}
correlation:
  names: [other.thing, steroids.androgen_feedback_exponent]
  lower: [[1], [-0.5, 1]]
between_study: {testosterone: 0.1}
digest: abc
"""


def test_a_fit_gives_its_values_unless_a_new_fit_is_to_start(data):
    written(data / "fits", FIT, "joint.yaml")
    parameters.load.cache_clear()
    exponent = parameters.load("steroids")["androgen_feedback_exponent"]
    assert (exponent.value, exponent.standard_error) == (0.8, 0.1)
    assert parameters.load("steroids", fitted=False)["androgen_feedback_exponent"].value == 0.6
    fit = parameters.load_fit("joint")
    assert fit.names == ("other.thing", "steroids.androgen_feedback_exponent")
    assert fit.values["other.thing"] == -2
    np.testing.assert_array_equal(fit.correlation, [[1, -0.5], [-0.5, 1]])


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("value: 0.8, scale: log", "value: -0.8, scale: log", "is on the log scale and must be above 0"),
        ("[-0.5, 1]", "[-1.5, 1]", "must be at least -1, not"),
        ("[-0.5, 1]", "[-0.5, 0.9]", "must end with 1"),
        ("[[1], [-0.5, 1]]", "[[1]]", "one row per name"),
        ("names: [other.thing, ", "names: [", "must list every parameter of the fit once"),
        ("standard_error: 0.5", "standard_error: nan", '"standard_error" must be a finite number'),
        ("fit: joint", "fit: other", "must have the name of its file, joint"),
        ("scale: natural", "scale: linear", 'unknown scale "linear" in parameters.other.thing of joint.yaml'),
    ],
)
def test_a_bad_fit_is_refused(tmp_path, old, new, sentence):
    assert old in FIT
    with pytest.raises(InputError) as caught:
        fits.read_fit(written(tmp_path, FIT.replace(old, new), "joint.yaml"))
    assert sentence in str(caught.value)


def test_a_fit_that_lacks_a_fitted_parameter_is_refused(data):
    written(data / "fits", FIT.replace("steroids.androgen", "steroids.other"), "joint.yaml")
    with pytest.raises(InputError, match=r'the fit "joint" has no value for steroids.androgen_feedback_exponent'):
        parameters.load("steroids")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "symbol: k_T",
            "simbol: k_T",
            'unknown key "simbol" in parameters.testosterone_clearance of steroids.yaml; did you mean "symbol"?',
        ),
        (
            "where: abstract",
            "wher: abstract",
            'unknown key "wher" in parameters.testosterone_clearance of steroids.yaml; did you mean "where"? Allowed: ',
        ),
        ("{log_sd: 0.2}", "{logsd: 0.2}", 'did you mean "log_sd"? Allowed: log_sd, sd, group'),
        (
            "unit: 1/h",
            "unit: 1/hour",
            'unknown unit "hour" in parameters.testosterone_clearance of steroids.yaml; allowed: ',
        ),
        ("kind: measured", "kind: guessed", 'unknown kind "guessed" in parameters.testosterone_clearance of'),
        ("    source: veldhuis2010\n", "", '"source" is missing in parameters.testosterone_clearance of steroids.yaml'),
        ("source: veldhuis2010", "source: veldhuis201", 'unknown reference "veldhuis201" in parameters.testosterone_c'),
        ("source: veldhuis2010", "source: veldhuis201", 'did you mean "veldhuis2010"?'),
        ("source: veldhuis2010", "source: assumed", 'a parameter with the source "assumed" needs a note'),
        ("source: veldhuis2010", "source: assumed\n    note: so", "does not go with the kind measured"),
        (
            "value: 1.5",
            "value: fast",
            '"value" must be a number, not "fast" in parameters.testosterone_clearance of',
        ),
        ("value: 1.5", "value: nan", '"value" must be a finite number, not "nan"'),
        ("    value: 1.5\n", "", 'a parameter of kind measured needs a "value"'),
        ("    fit: joint\n", "", 'a fitted parameter needs "fit" and "prior"'),
        ("    fit: joint\n", "    fit: joint\n    value: 2\n", 'a fitted parameter has no "value" of its own'),
        ("{median: 0.6, log_sd: 1.0}", "{median: 0.6}", "a prior is either {median, log_sd} or {mean, sd}"),
        ("[0.02, 4]", "[4, 0.02]", "the lower of the bounds must lie below the upper"),
        ("{log_sd: 0.2}", "{log_sd: -0.2}", '"log_sd" must be at least 0'),
        ("{log_sd: 0.2}", "{log_sd: 0.2, sd: 1}", "exactly one of log_sd, sd is needed"),
        ("system: steroids", "system: bone", 'the system "bone" of steroids.yaml must have the name of its file'),
        ("  signal_rate:", "  signal rate:", "must be made of letters, digits and _"),
        ("  signal_rate:", "  testosterone_clearance:", 'the name "testosterone_clearance" stands twice'),
        ("symbol: k_S", "symbol: &a k_S", "uses an anchor or alias"),
        ("symbol: k_S", "symbol: !!python/object:os.system k_S", "is not valid YAML at line"),
        ("symbol: k_S", "symbol: [k_S", "is not valid YAML at line"),
    ],
)
def test_a_bad_parameter_file_is_refused(tmp_path, old, new, sentence):
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        parameters.load_file(written(tmp_path, GOOD.replace(old, new, 1)), fitted=False)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_source_that_nobody_has_seen_is_refused(tmp_path, monkeypatch):
    unseen = bibliography.Reference("unseen", "misc", {"title": "t", "verification": "memory"})
    monkeypatch.setattr(parameters, "reference", lambda key, where: unseen)
    with pytest.raises(InputError, match="which nobody has seen"):
        parameters.load_file(written(tmp_path, GOOD), fitted=False)


def test_an_unused_and_a_missing_parameter_are_errors(data):
    class Fewer(NamedTuple):
        testosterone_clearance: float
        androgen_feedback_exponent: float

    class More(NamedTuple):
        testosterone_clearance: float
        androgen_feedback_exponent: float
        signal_rate: float
        signal_delay: float = 0.0

    class Renamed(NamedTuple):
        testosterone_clearance: float
        androgen_feedback_exponents: float
        signal_rate: float

    with pytest.raises(InputError, match=r'unknown parameter "signal_rate" in data/parameters/steroids.yaml: Fewer'):
        parameters.record(Fewer, "steroids")
    with pytest.raises(
        InputError, match=r'the parameter "signal_delay" of More is missing in data/parameters/steroids'
    ):
        parameters.record(More, "steroids")
    with pytest.raises(InputError, match='did you mean "androgen_feedback_exponents"'):
        parameters.record(Renamed, "steroids")


def test_an_unknown_system_is_refused(data):
    with pytest.raises(InputError, match='unknown system "steroid" in data/parameters; did you mean "steroids"'):
        parameters.load("steroid")


# What a hostile or broken file looks like, and the words for it.


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("- a\n- b\n", "must hold names and values at its top level"),
        ("a: 1\na: 2\n", 'the name "a" stands twice in one place (again at line 2), in '),
        ("a: &x [1]\nb: *x\n", "uses an anchor or alias (& or *) at line 1"),
        ("a: " + "[" * 40 + "]" * 40, "is nested deeper than 30 levels"),
        ("a: " + "[" * 100_000, "is nested deeper than 30 levels"),
        ("a: 2026-02-31\n", "holds an impossible value"),
        ("1: a\n", "must be text"),
        ("? [a]\n: b\n", "must be text"),
        ("a: b: c\n", "is not valid YAML at line 1"),
        ("a: \x00\n", "is not valid YAML"),
    ],
)
def test_yaml_that_cannot_be_used(tmp_path, text, sentence):
    with pytest.raises(InputError) as caught:
        files.read_yaml(written(tmp_path, text))
    assert sentence in str(caught.value)
    assert "steroids.yaml" in str(caught.value)


def test_yaml_words_are_not_turned_into_something_else(tmp_path):
    text = 'answer: no\ntime: 10:30\nrate: 1e-3\nday: 7\nold: 010\non: true\nsmall: .5\nday0: 2026-01-31\ncode: "7"\n'
    content = files.read_yaml(written(tmp_path, text))
    assert content.pop("day0").isoformat() == "2026-01-31"
    assert content == {
        **{"answer": "no", "time": "10:30", "rate": 1e-3, "day": 7, "old": "010", "on": True, "small": 0.5, "code": "7"}
    }


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        files.read_yaml(tmp_path / "nothing.yaml")
    with pytest.raises(InputError, match="is not an ordinary file"):
        files.read_yaml(tmp_path)
    with pytest.raises(InputError, match="is larger than"):
        files.read_yaml(written(tmp_path, "a: " + "x" * files.LARGEST_FILE))
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        files.read_yaml(tmp_path / "latin.yaml")


# The bibliography's reader.


def test_a_bibliography_entry_is_read():
    text = (
        '% a comment\n@Article{key1, author = "A, B", title = {The {DNA}\n of it}, year = 1999, verification={own}}\n'
    )
    (entry,) = bibliography.parse_bib(text, "x.bib").values()
    assert entry.fields == {"author": "A, B", "title": "The DNA of it", "year": "1999", "verification": "own"}
    assert entry.formatted() == "A, B. The DNA of it. (1999). [own]"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\nwords\n", "x.bib at line 2 should begin an entry"),
        (
            "@artikel{k, title={t}, verification={own}}",
            'unknown entry type "artikel" in x.bib at line 1; did you mean "art',
        ),
        ("@misc{k, title={t}, verification={own},", "malformed"),
        ("@misc{k, title={t", "has a brace that is never closed"),
        ("@misc{k, title={t} verification={own}}", 'lacks a comma or a closing brace after "title"'),
        ("@misc{k, titel={t}, verification={own}}", 'unknown field "titel"'),
        ("@misc{k, title={t}, title={t}, verification={own}}", 'the field "title" stands twice'),
        ("@misc{k, title=?, verification={own}}", "neither in braces nor in quotes"),
        ("@misc{k, title={t}}", 'lacks the field "verification"'),
        ("@misc{k, verification={own}}", 'needs a "title" or a "journal"'),
        ("@misc{k, title={t}, verification={read}}", 'unknown verification "read"'),
        ("@misc{k, title={t}, verification={own}}\n@misc{k, title={t}, verification={own}}", "stands twice"),
    ],
)
def test_a_malformed_bibliography_is_refused(text, sentence):
    with pytest.raises(InputError) as caught:
        bibliography.parse_bib(text, "x.bib")
    assert sentence in str(caught.value)


def test_a_key_in_two_files_is_refused(tmp_path, monkeypatch):
    for name in ("a.bib", "b.bib"):
        written(tmp_path / "references", "@misc{k, title={t}, verification={own}}", name)
    monkeypatch.setattr(bibliography, "DATA", tmp_path)
    bibliography.bibliography.cache_clear()
    with pytest.raises(InputError, match=r'"k" of b.bib is already in another file'):
        bibliography.bibliography()
    bibliography.bibliography.cache_clear()


# What is shipped.


@pytest.mark.parametrize("system", parameters.systems())
def test_every_shipped_system_loads(system):
    for parameter in parameters.load(system).values():
        assert parameter.value is not None
