"""The report in a real browser: phone and desktop, nothing loaded from anywhere, closed sections that open."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from trajectories import trajectory

from leydig.report import page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESKTOP = (360, 800), (1280, 900)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="chromium and chromedriver are not installed"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    runs = [
        trajectory(name="older man <b>bold</b>"),
        trajectory("anastrozole 1 mg twice weekly for 52 weeks", strength=0.9, drug=12),
        trajectory("none for 52 weeks", strength=0, drug=0, change={"sperm_concentration": 0.01}),
    ]
    page.write(runs, path)
    return path


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def opened(browser, report, request):
    """The report at one size, with what the browser said and asked for while opening it."""
    width, height = request.param
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": request.param == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(report.as_uri())
    assert browser.execute_script("return window.innerWidth") == width
    return browser


def test_it_opens_with_at_most_five_figures_and_everything_else_closed(opened):
    assert 1 <= len([figure for figure in opened.find_elements("css selector", "figure") if figure.is_displayed()]) <= 5
    sections = opened.find_elements("css selector", "details")
    assert len(sections) >= 5
    assert not [section for section in sections if section.get_attribute("open")]
    assert not [table for table in opened.find_elements("css selector", "table") if table.is_displayed()]


def test_the_plain_statement_and_the_flags_stand_above_the_figures(opened):
    top = {name: opened.find_element("css selector", name).rect["y"] for name in (".statement", ".flags", "figure")}
    assert top[".statement"] < top[".flags"] < top["figure"]


def test_nothing_is_wider_than_the_window_closed_or_open(opened):
    widest = "return document.documentElement.scrollWidth - window.innerWidth"
    assert opened.execute_script(widest) <= 0
    opened.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.execute_script(widest) <= 0


def test_a_section_opens_on_a_click(opened):
    section = opened.find_element("css selector", "details#values")
    summary = section.find_element("css selector", "summary")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", summary)
    summary.click()
    assert section.get_attribute("open")
    assert section.find_element("css selector", "table").is_displayed()


def test_nothing_is_asked_of_any_network_and_the_console_stays_silent(opened, report):
    import json

    messages = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert {url for url in asked if not url.startswith("data:")} == {report.as_uri()}
    assert opened.get_log("browser") == []


def test_letters_in_the_figures_are_legible(opened):
    sizes = opened.execute_script(
        "return [...document.querySelectorAll('figure svg text')].map(t => t.getBoundingClientRect().height)"
    )
    assert len(sizes) > 50
    assert min(sizes) >= 9


def test_outcomes_of_the_evidence_open_inside_their_section(opened):
    section = opened.find_element("css selector", "details#evidence")
    opened.execute_script("arguments[0].open = true", section)
    outcomes = section.find_elements("css selector", "details.outcome")
    assert len(outcomes) > 20
    assert not [outcome for outcome in outcomes if outcome.get_attribute("open")]
    opened.execute_script("arguments[0].open = true", outcomes[0])
    assert outcomes[0].find_element("css selector", "p").is_displayed()


def test_no_two_texts_of_a_panel_overlap(opened):
    opened.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    overlapping = opened.execute_script(
        """
        const found = [];
        for (const svg of document.querySelectorAll('.panels svg')) {
          const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
          texts.forEach(([a, p], i) => texts.slice(i + 1).forEach(([b, q]) => {
            const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
            const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
            if (wide > 1 && high > 3) found.push([svg.getAttribute('aria-label'), a, b, wide, high]);
          }));
        }
        return found;
        """
    )
    assert overlapping == []


def test_markup_in_a_name_stays_text(opened):
    assert opened.find_element("css selector", "h1").text == "older man <b>bold</b>"
    assert opened.find_elements("css selector", "h1 b") == []
