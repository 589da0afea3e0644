# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitctl report in a browser: in the light, in the dark, on a small screen and on paper."""

import pathlib
import re
import subprocess
import sys

import PIL.Image
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import able  # noqa: E402
import incident  # noqa: E402
from browser import Browser  # noqa: E402
from programs import BUILD, ENVIRONMENT  # noqa: E402

# The browser gets a network of its own, with nothing in it.
WHY_NOT = able.why_not("namespaces")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=str(WHY_NOT))

DARK = "--force-dark-mode"
# A page with what must not be.
BAD = """<!DOCTYPE html><html><head><meta http-equiv="Content-Security-Policy" content="default-src 'self' http:"/></head>
<body><h1 style="color:#aaa">faint</h1><section style="width:3000px">wide</section>
<figure><svg viewBox="0 0 100 50" width="100"><text x="90" y="20">beyond</text></svg></figure>
<img src="http://127.0.0.1:9/nothing.png"/><script>1</script></body></html>"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    return Browser(tmp_path_factory.mktemp("browser"))


def make(directory, records):
    path = directory / "page.html"
    done = subprocess.run(
        [str(BUILD / "timewaitctl"), "report", "-o", str(path)]
        + ["--input", str(incident.write(directory / "records.json", records))],
        capture_output=True,
        text=True,
        timeout=180,
        env={**ENVIRONMENT, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Of a bad morning."""
    return make(tmp_path_factory.mktemp("page"), incident.records())


def colours(path):
    """A picture's commonest colour, and how much of it has another."""
    with PIL.Image.open(path) as picture:
        small = picture.convert("RGB")
        count, ground = max(small.getcolors(maxcolors=1 << 24))
        return ground, 1 - count / (small.width * small.height)


@pytest.mark.parametrize("options, light", [((), True), ((DARK,), False)], ids=["light", "dark"])
def test_picture(browser, page, options, light):
    path, complaints = browser.picture(page, *options)
    assert complaints == []
    ground, drawn = colours(path)
    assert (min(ground) > 240) if light else (max(ground) < 48), ground
    assert 0.03 < drawn < 0.5


@pytest.mark.parametrize("options", [(), (DARK,)], ids=["light", "dark"])
def test_everything_has_its_place(browser, page, options):
    found = browser.measure(page, *options)
    assert found["problems"] == [] and found["loaded"] == []
    assert found["dark"] == bool(options) and found["width"] == 1280
    assert found["drawings"] == 10 and found["tables"] == 3 * 4 + 3
    # Each line is in two, for there is a gap in the samples.
    assert found["lines"] == 2 * found["drawings"]


def test_a_small_screen(browser, page):
    """What is wide scrolls by itself, and the page does not."""
    found = browser.measure(page, width=500)
    assert found["width"] == 500
    assert [problem for problem in found["problems"] if not problem.startswith("scrolls: ")] == []


@pytest.mark.parametrize("minutes", [1, 2, 47])
def test_a_short_span(browser, tmp_path, minutes):
    page = make(tmp_path, incident.records(minutes))
    found = browser.measure(page)
    assert found["problems"] == [] and found["drawings"] > 5
    assert colours(browser.picture(page)[0])[1] > 0.01


def test_nothing_is_asked_for(browser, page):
    assert browser.asked_for(page) == set()


def words_of(path):
    """The words of each sheet, with their left and right ends and the sheet's width."""
    sheets = subprocess.run(["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True, check=True).stdout
    for sheet in sheets.split("<page ")[1:]:
        width = float(re.match(r'width="([\d.]+)"', sheet)[1])
        words = re.findall(r'<word xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)" yMax="[\d.-]+">(.*?)</word>', sheet)
        yield width, [(float(left), float(right), word) for left, right, word in words]


def test_paper(browser, page):
    printed = browser.print(page)
    sheets = list(words_of(printed))
    assert 3 <= len(sheets) <= 9
    for width, words in sheets:
        assert len(words) > 10, "a sheet with next to nothing on it"
        # 16 mm at each side.
        assert all(44 < left and right < width - 44 for left, right, _ in words), words
        # A heading stays with what it is about.
        assert [word for *_, word in words[-2:]] not in (["All", "records"], ["", "Timeline"])
    text = " ".join(word for _, words in sheets for *_, word in words)
    for said in ("Incident report: shop-frontend-07", "Who was behind it", "Made by timewaitctl report", "net.ipv4.tcp_tw_reuse"):
        assert said in text


def test_what_is_wrong_is_seen(browser, tmp_path):
    """These tests can fail."""
    bad = tmp_path / "bad.html"
    bad.write_text(BAD)
    problems = " ".join(browser.measure(bad)["problems"])
    for said in ("wider than the window", "over the edge: wide", "out of its drawing: beyond", "too faint: faint"):
        assert said in problems
    assert browser.asked_for(bad) == {"http://127.0.0.1:9/nothing.png"}
    path, complaints = browser.picture(bad)
    assert complaints != []
    blank = tmp_path / "blank.html"
    blank.write_text("<!DOCTYPE html><title>blank</title>")
    assert colours(browser.picture(blank)[0])[1] == 0
