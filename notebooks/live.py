"""Drive a live JupyterLab as a reader would, in headless Chromium, and see that the walkthrough works there.

    python notebooks/live.py                      # chapter 07
    python notebooks/live.py --pictures /tmp/look # and write screenshots

Opens the chapter, runs all cells, and checks that its charts are drawn and that the live ones changed at least three times while
training ran; saves, opens it again, and checks that the charts are drawn still; then trains for long, interrupts the kernel, and
checks that the run was left with a checkpoint. Works on copies beside the chapters, which it removes. Where JupyterLab, Chromium or
playwright is not there it is skipped, which is said, with status 0.
"""

import argparse
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import nbformat

import chapters
import check
from execute import use_lab_kernel

COPY = chapters.HERE / "try_live.ipynb"
PATIENCE = 600  # seconds

CHARTS = """() => [...document.querySelectorAll('.mmiln-plot')].filter(
    plot => (plot.querySelector('.mmiln-live svg')?.querySelectorAll('path, rect, circle').length ?? 0) > 3
).map(plot => plot.closest('figure').querySelector('strong').textContent)"""
CAPTIONS = """() => [...document.querySelectorAll('.mmiln-chart figcaption')].map(c => c.textContent).filter(c => c.includes('Last:')).join('|')"""
SCROLL = """(share) => { const at = document.querySelector('.jp-WindowedPanel-outer'); at.scrollTop = share * at.scrollHeight; }"""


class Lab:
    """A JupyterLab server of its own, with settings of its own, on a free port."""

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="mmiln-live-")
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        folders = {name: f"{self.home}/{name}" for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
        self.server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}",
             f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={chapters.ROOT}", "--allow-root",
             f"--LabApp.user_settings_dir={self.home}/settings", f"--LabApp.workspaces_dir={self.home}/workspaces"],
            env=os.environ | folders, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api?token={self.token}", timeout=2)
                return self
            except OSError:
                time.sleep(0.5)
        self.__exit__()
        raise SystemExit("JupyterLab did not start")

    def __exit__(self, *_):
        self.server.send_signal(signal.SIGTERM)  # shuts its kernels down first
        try:
            self.server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.server.pid, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)

    def ask(self, path, method="GET"):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"})
        return urllib.request.urlopen(request, timeout=60).read()

    def stop_kernels(self):
        """End all sessions, so that the next notebook begins with a kernel of its own."""
        for session in json.loads(self.ask("sessions")):
            self.ask(f"sessions/{session['id']}", "DELETE")

    def kernel_is_ready(self):
        """Whether the notebook's kernel has answered and rests. What the page shows can lag behind."""
        kernels = [session["kernel"] for session in json.loads(self.ask("sessions"))]
        return bool(kernels) and all(k["execution_state"] == "idle" and k["connections"] > 0 for k in kernels)

    def url(self):
        return f"http://127.0.0.1:{self.port}/lab/tree/notebooks/{COPY.name}?reset&token={self.token}"


def open_copy(page, lab):
    """Open the notebook and wait until its kernel is ready."""
    page.goto(lab.url())
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    for _ in range(120):
        if lab.kernel_is_ready():
            break
        page.wait_for_timeout(1000)
    else:
        raise SystemExit("the kernel did not come up")
    page.wait_for_timeout(5000)  # as a reader would who begins to read


def command(page, menu, entry):
    page.click(f".lm-MenuBar-itemLabel:text-is('{menu}')")
    page.click(f".lm-Menu-itemLabel:text-is('{entry}')")


def is_running(page, lab):
    waiting = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].some(p => p.textContent.includes('[*]'))"
    return page.evaluate(waiting) or not lab.kernel_is_ready()


def run_all(page, lab):
    """Run all cells and count how often the live charts changed."""
    command(page, "Run", "Run All Cells")
    changes, last, began, idle = 0, "", time.monotonic(), 0
    while idle < 10:
        now = page.evaluate(CAPTIONS)
        if now and now != last:
            changes, last = changes + 1, now
        idle = 0 if is_running(page, lab) else idle + 1
        if time.monotonic() - began > PATIENCE:
            raise SystemExit("the chapter did not end in time")
        page.wait_for_timeout(200)
    return changes


def drawn(page):
    """The titles of all charts that are drawn, scrolling through the notebook."""
    titles = set()
    for step in range(21):
        page.evaluate(SCROLL, step / 20)
        page.wait_for_timeout(250)
        titles.update(page.evaluate(CHARTS))
    return titles


def take(page, pictures, name):
    """A picture of the middle of the notebook."""
    if pictures:
        page.evaluate(SCROLL, 0.55)
        page.wait_for_timeout(1500)
        page.screenshot(path=pictures / name)


def expected(path):
    """How many charts a notebook's outputs hold."""
    content = path.read_text()
    return content.count('<figure class=\\"mmiln-chart\\">')


def try_chapter(page, lab, pictures):
    """Run a chapter, save it, open it again."""
    open_copy(page, lab)
    changes = run_all(page, lab)
    first = drawn(page)
    page.keyboard.press("Control+s")
    page.wait_for_timeout(3000)
    take(page, pictures, "live.png")
    there = expected(COPY)
    lab.stop_kernels()
    open_copy(page, lab)
    again = drawn(page)
    take(page, pictures, "live-reopened.png")
    lab.stop_kernels()
    print(f"live charts changed {changes} times; {len(first)} of {there} charts drawn, {len(again)} after opening again", flush=True)
    return changes >= 3 and len(first) >= there > 0 and again == first


LONG = 'config := walk.Must(walk.Config("name=interrupt", "seed=8", "train.max_epochs=500", "train.patience=500"))\n'


def try_interrupt(page, lab):
    """Train for long, interrupt, and look for the checkpoint."""
    notebook = nbformat.read(COPY, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"][:2]
    notebook.cells = code + [nbformat.v4.new_code_cell("%%\n" + LONG + "walk.Must(walk.Train(config))")]
    chapters.write(notebook, COPY)
    open_copy(page, lab)
    command(page, "Run", "Run All Cells")
    page.wait_for_function(f"({CAPTIONS})() !== ''", timeout=PATIENCE * 1000)
    page.click(".jp-NotebookPanel-toolbar [data-command='notebook:interrupt-kernel'], .jp-ToolbarButtonComponent[title^='Interrupt']")
    page.wait_for_function("document.body.textContent.includes('a checkpoint is in')", timeout=120_000)
    runs = sorted((chapters.ROOT / "runs" / "walk").glob("interrupt-*"), key=os.path.getmtime)
    run = runs[-1]
    status = json.loads((run / "run.json").read_text())["status"]
    kept = [p for p in (run / "checkpoints").rglob("*") if p.is_file()]
    print(f"{run.name}: {status}, {len(kept)} files of checkpoints", flush=True)
    shutil.rmtree(run)
    return status == "interrupted" and bool(kept)


def main():
    arguments = argparse.ArgumentParser(description="Drive a live JupyterLab.")
    arguments.add_argument("--chapter", default="07")
    arguments.add_argument("--pictures", type=pathlib.Path, help="folder for screenshots")
    chosen = arguments.parse_args()
    sync_playwright, chromium = check.load()
    try:
        import jupyterlab  # noqa: F401
    except ImportError:
        check.skip("JupyterLab is not installed in this Python")
    use_lab_kernel()
    if chosen.pictures:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
    shutil.copy(chapters.find([chosen.chapter])[0], COPY)
    try:
        with Lab() as lab, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            good = [try_chapter(page, lab, chosen.pictures), try_interrupt(page, lab)]
            browser.close()
    finally:
        COPY.unlink(missing_ok=True)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
