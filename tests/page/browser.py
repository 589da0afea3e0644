# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages as a browser shows them: Debian's chromium without a window, and without any network."""

import html
import json
import pathlib
import re
import subprocess

# It draws without a graphics card, and asks nobody for updates. That it runs as root needs --no-sandbox.
CHROMIUM = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking")
# What is complained of in the page, by its log; chromium has pages of its own, which complain of theirs.
COMPLAINT = re.compile(r":CONSOLE[:(].*source: file:.*")
# The initiator, in a log of the net, of what chromium asks for by itself.
BY_ITSELF = "not an origin"

# Into a copy of the page, which may then run scripts. What it finds stands in the document that --dump-dom prints.
MEASURE = """
<pre id="measured"></pre><script>
const all = (what, within = document) => [...within.querySelectorAll(what)];
const box = element => { const r = element.getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]; };
const name = element => element.textContent.trim().slice(0, 40) || element.outerHTML.slice(0, 60);
const root = document.documentElement, problems = [];
const inside = (inner, outer, what) => {
  const [a, b, c, d] = box(inner), [e, f, g, h] = outer;
  if (a < e - 1 || b > f + 1 || c < g - 1 || d > h + 1) problems.push(what + ": " + name(inner));
};
const light = colour => {
  const [r, g, b] = colour.match(/[\\d.]+/g).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = element => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (!/, 0\\)$/.test(colour)) return colour;
  }
  return "rgb(255, 255, 255)";
};
if (root.scrollWidth > root.clientWidth) problems.push("the page is wider than the window");
for (const one of all("section, figure, .wide, h1, h2, h3, p, dl, ul")) inside(one, [0, root.clientWidth, 0, 1e9], "over the edge");
for (const one of all(".wide, figure"))
  if (one.scrollWidth > one.clientWidth + 1) problems.push("scrolls: " + name(one));
for (const drawing of all("figure svg")) {
  const labels = all("text", drawing);
  for (const one of all("text, path, rect", drawing)) inside(one, box(drawing), "out of its drawing");
  for (let i = 1; i < labels.length; i++) {
    const [, right, top] = box(labels[i - 1]), [left, , top2] = box(labels[i]);
    if (Math.abs(top - top2) < 2 && left < right + 2) problems.push("labels touch: " + name(labels[i]));
  }
}
for (const one of all("h1, h2, h3, p, td, th, dt, dd, caption, figcaption, li, footer, .event, .label")) {
  const style = getComputedStyle(one), ink = light(one.closest("svg") ? style.fill : style.color), paper = light(ground(one));
  if ((Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) < 4.5) problems.push("too faint: " + name(one));
}
document.getElementById("measured").textContent = JSON.stringify({
  problems, width: root.clientWidth, dark: matchMedia("(prefers-color-scheme: dark)").matches,
  drawings: all("figure svg").length, tables: all("table").length, lines: all("path.line").length,
  loaded: performance.getEntriesByType("resource").map(entry => entry.name),
});
</script>
"""


class Browser:
    """Shows pages; its profile and what it makes stand in `directory`."""

    def __init__(self, directory):
        self._directory = pathlib.Path(directory)
        self._count = 0

    def _run(self, page, *options):
        """Returns what it wrote, and what the page complained of."""
        self._count += 1
        done = subprocess.run(
            ["unshare", "-n", *CHROMIUM, f"--user-data-dir={self._directory}/profile", "--enable-logging=stderr", "--v=0"]
            + [*options, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, COMPLAINT.findall(done.stderr)

    def picture(self, page, *options, width=1280, height=4000):
        """The file of a screenshot, and the complaints."""
        path = self._directory / f"picture{self._count}.png"
        _, complaints = self._run(page, f"--screenshot={path}", f"--window-size={width},{height}", *options)
        return path, complaints

    def print(self, page):
        path = self._directory / f"printed{self._count}.pdf"
        self._run(page, f"--print-to-pdf={path}", "--no-pdf-header-footer")
        return path

    def asked_for(self, page):
        """The addresses that the page asked for."""
        log = self._directory / f"net{self._count}.json"
        self._run(page, f"--log-net-log={log}", "--dump-dom")
        requests = re.findall(r'"initiator":"([^"]*)".*"url":"([^"]+)"', log.read_text(encoding="utf-8"))
        return {url for initiator, url in requests if initiator != BY_ITSELF}

    def measure(self, page, *options, width=1280):
        """What MEASURE says of a copy of the page."""
        text = page.read_text(encoding="utf-8")
        copy = page.with_suffix(".measured.html")
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        copy.write_text(text.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
        document, _ = self._run(copy, "--dump-dom", f"--window-size={width},2000", *options)
        return json.loads(html.unescape(re.search(r'<pre id="measured">(.*?)</pre>', document, re.S)[1]))
