"""The report: what it says follows from the numbers, and nothing from outside becomes markup."""

import dataclasses
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from trajectories import NONE, text_of, three, trajectory

from leydig.errors import InputError
from leydig.report import figures, page, plan, runs

# The page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("several", [False, True])
def test_five_figures_open_and_the_rest_is_closed(several):
    html = page.html(three() if several else [trajectory()])
    assert html.count("<figure ") == 5
    assert html.count("<details") >= 6
    assert "<details open" not in html
    assert html.index("</figure>") < html.index("<details")
    assert html.count(page.PLAIN_STATEMENT) == 1


def test_without_a_drug_there_is_no_figure_of_it():
    assert [figure.key for figure in plan.figures([trajectory(NONE, drug=0)])] == ["hormones", "ratio", "semen", "bone"]


def test_the_same_runs_give_the_same_bytes():
    assert page.html(three()) == page.html(three())


def test_text_from_outside_is_never_markup():
    evil = '<script>alert("x")</script>'
    run = trajectory(name=evil, assumed=(evil,), remarks=(evil,), digests={evil: evil}, status=evil)
    run.subject["condition"] = evil
    run.subject["converted"] = [evil]
    run.subject["drugs"] = [evil]
    run.subject["published"][0] |= {"note": evil}
    source = {"key": "x", "reference": f"{evil}. doi 10.1234/<b>. [own]", "verification": evil, "used_for": evil}
    html = page.html([dataclasses.replace(run, sources=(source,), protocol=evil), trajectory(name=evil)])
    assert "<script" not in html
    assert "<b>." not in html
    assert html.count("&lt;script&gt;") >= 10


def test_nothing_is_loaded_from_anywhere():
    html = page.html(three())
    links = re.findall(r"https?://[^\s\"'<>]*", html)
    assert links
    assert [link for link in links if not link.startswith("https://doi.org/10.")] == []
    assert html.count("https://doi.org/") == html.count('<a href="https://doi.org/')
    assert (
        re.findall(r"<(?:script|link|img|iframe|object|embed|base|form)\b(?! rel=\"icon\" href=\"data:,\")", html) == []
    )
    assert "default-src 'none'" in html
    assert "@import" not in html
    assert set(re.findall(r"url\(([^)]*)\)", html)) <= {f"#{key}" for key in re.findall(r'id="([^"]+)"', html)}


def test_ids_are_unique():
    found = re.findall(r'\bid="([^"]+)"', page.html(three()))
    assert len(found) == len(set(found))


def test_a_report_replaces_the_old_one_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "report.html"
    page.write([trajectory()], path)
    before = path.read_bytes()
    assert before.startswith(b"<!doctype html>")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        page.write([trajectory(length=10)], path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_a_failed_run_is_said_first_and_does_not_stop_the_report():
    broken = np.full(365, np.nan)
    run = trajectory(status="step too small", change={"testosterone": broken, "bmd_spine": broken, "estradiol": broken})
    text = text_of(page.html([run]))
    assert "This run did not end as it should: step too small" in text
    assert text.index("did not end") < text.index("Hormones")
    assert "nan" not in text.lower().split()


def test_every_source_key_that_is_named_is_in_the_list():
    html = page.html(
        [
            trajectory(
                "testosterone gel 50 mg daily for 52 weeks",
                drug=0,
                change={"LH": 0.3, "testosterone": 200, "sperm_concentration": np.linspace(30, 0, 365)},
            )
        ]
    )
    listed = set(re.findall(r"<small><b>([^<]+)</b>", html))
    named = set(re.findall(r"source (\w*\d\w*)", text_of(html)))
    assert named >= {"who1996", "travison2017", "tajar2010", "who2021"}
    assert named <= listed


# Figures ------------------------------------------------------------------------------------------


def test_a_panel_is_valid_scalable_and_without_outside_names():
    (panel, *_) = plan.figures(three())[0].panels
    svg = figures.svg(panel, runs.letters(3), 'a "quoted" <name>')
    root = ElementTree.fromstring(svg)
    assert root.get("viewBox") and root.get("width") is None
    assert root.get("aria-label") == 'a "quoted" <name>'
    assert "http" not in svg and "DejaVu" not in svg


def test_runs_differ_in_colour_and_in_dash():
    styles = [figures.style(place) for place in range(5)]
    assert len({colour for colour, _ in styles}) == 5
    assert len({str(dash) for _, dash in styles}) == 5


@pytest.mark.parametrize("wishes", [[0.5, 0.5, 0.5], [0.0, 0.01, 0.9, 0.91], [0.98, 0.99, 1.0], [0.1], []])
def test_labels_move_apart_and_stay_inside(wishes):
    heights = figures.spread(wishes, 0.075)
    assert len(heights) == len(wishes)
    assert np.all(np.diff(heights) >= 0.075 - 1e-9)
    assert all(0 <= height <= 1 for height in heights)


def test_a_picture_is_written(tmp_path):
    figures.picture(three()[:2], tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
