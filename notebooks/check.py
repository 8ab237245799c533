"""Open every exported page in headless Chromium with the network off and see that all of it works.

    python notebooks/check.py                       # reports/
    python notebooks/check.py --pictures /tmp/look  # and write screenshots: light and dark, 1280 and 768 pixels wide

A page passes if it asked for nothing but itself, logged no error, drew every chart, shows no formula as LaTeX, and its model, where it
has one, answers to a gate being moved. Where there is
no Chromium or no playwright the check is skipped, which is said, with status 0.
"""

import argparse
import os
import pathlib
import shutil
import sys

import chapters

WIDTHS = (1280, 768)


def browser_path():
    names = [os.environ.get("MMILN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


def load():
    """Playwright and the browser, or a plain word and status 0."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        skip("playwright is not installed (pip install -r notebooks/requirements.txt)")
    return sync_playwright, browser_path() or skip("there is no Chromium on PATH; MMILN_CHROMIUM names another")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def scroll_through(page):
    """Bring everything into view once, so that all charts are drawn."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for y in range(0, height, 500):
        page.evaluate(f"window.scrollTo(0, {y})")
        page.wait_for_timeout(30)
    page.wait_for_timeout(300)
    page.evaluate("window.scrollTo(0, 0)")


FINDINGS = """() => ({
    charts: document.querySelectorAll('.mmiln-plot').length,
    drawn: [...document.querySelectorAll('.mmiln-plot')].filter(plot => {
        const picture = plot.querySelector('.mmiln-live svg');
        return picture && picture.querySelectorAll('path, rect, circle, polyline').length > 3;
    }).length,
    formulas: document.querySelectorAll('math').length,
    raw: [...document.querySelectorAll('section.text')].filter(s => /\\$\\$|\\\\(frac|hat|mathrm)/.test(s.textContent)).length,
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
})"""


def play(page, wrong):
    """Move a gate of the model in the page, where there is one, and see that its prediction follows."""
    if not page.query_selector(".mmiln-play"):
        return
    try:
        page.wait_for_selector(".mmiln-play[data-ready]", timeout=60_000)
        said = page.inner_text(".mmiln-play [data-region=outcome]")
        page.eval_on_selector(".mmiln-play input[name=gate]", """slider => {
            slider.value = 0; slider.dispatchEvent(new Event('input', {bubbles: true}));
        }""")
        page.wait_for_function(
            "said => document.querySelector('.mmiln-play [data-region=outcome]').innerText !== said", arg=said, timeout=10_000)
    except Exception as error:  # whatever playwright says is what is wrong
        wrong.append(f"the model in the page: {error}")


def look(browser, path, width, dark, picture=None):
    """Open one page and return what was found and what is wrong with it."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", offline=True,
    )
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda r: asked.append(r.url) if r.url != path.as_uri() and not r.url.startswith(("data:", "blob:")) else None)
    page.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(path.as_uri())
    scroll_through(page)
    found = page.evaluate(FINDINGS)
    wrong = []
    play(page, wrong)
    if picture:
        page.screenshot(path=picture, full_page=True)
    context.close()
    wrong += [f"asked for {url}" for url in asked] + errors
    if found["drawn"] < found["charts"]:
        wrong.append(f"{found['charts'] - found['drawn']} of {found['charts']} charts were not drawn")
    if found["raw"]:
        wrong.append("a formula is shown as LaTeX")
    if found["wide"]:
        wrong.append(f"it is wider than {width} pixels")
    return found, wrong


def main():
    arguments = argparse.ArgumentParser(description="Check the exported pages in a browser.")
    arguments.add_argument("folder", nargs="?", type=pathlib.Path, default=chapters.ROOT / "reports")
    arguments.add_argument("--pictures", type=pathlib.Path, help="folder for screenshots")
    arguments.add_argument("--only", default="", help="pages whose names begin so")
    chosen = arguments.parse_args()
    pages = sorted(p for p in chosen.folder.resolve().glob("*.html") if p.name.startswith(chosen.only))
    if not pages:
        sys.exit(f"there are no pages in {chosen.folder}; write them with: python notebooks/export.py")
    sync_playwright, chromium = load()
    if chosen.pictures:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
    failed = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for path in pages:
            for width in WIDTHS:
                for dark in (False, True):
                    name = f"{path.stem}-{width}-{'dark' if dark else 'light'}"
                    picture = chosen.pictures / f"{name}.png" if chosen.pictures else None
                    found, wrong = look(browser, path, width, dark, picture)
                    failed = failed or bool(wrong)
                    print(f"{name}: {found['drawn']}/{found['charts']} charts, {found['formulas']} formulas", *wrong, sep="\n  ", flush=True)
        browser.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
