"""Write the executed chapters as HTML pages that ask no network for anything.

    python notebooks/export.py                 # into reports/
    python notebooks/export.py --execute       # execute all chapters first
    python notebooks/export.py --no-playground # without the model in the page, which takes a minute to build the first time

Needs the packages of notebooks/requirements.txt. Formulas become MathML, which every browser draws by itself. Each page names
the hashes of its scripts in a content security policy, under which nothing else runs and nothing is fetched.
"""

import argparse
import base64
import hashlib
import html
import json
import os
import pathlib
import re
import subprocess
import sys

import jinja2
import nbformat
from nbconvert.filters import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import GoLexer

import chapters
from formula import formula

OUT = chapters.ROOT / "reports"


class Renderer(IPythonRenderer):
    """Markdown with formulas as MathML, and with links to chapters' pages."""

    def block_math(self, body):
        return formula(body, block=True)

    def inline_math(self, body):
        return formula(body, block=False)

    def block_code(self, code, info=None):
        return coloured(code) if info == "go" else f"<pre><code>{html.escape(code)}</code></pre>"

    def link(self, text, url, title=None):
        return super().link(text, re.sub(r"\.ipynb(?=#|$)", ".html", url), title)


def coloured(code):
    return highlight(code, GoLexer(), HtmlFormatter(cssclass="code"))


def markdown(text):
    return MarkdownWithMath(renderer=Renderer(escape=False)).render(text)


def output_html(output):
    """One output of a cell: a chart, a table, source, printed text or an error."""
    if output.output_type == "stream":
        return f'<pre class="{output.name}">{ansi2html(output.text)}</pre>'
    if output.output_type == "error":
        return f'<pre class="stderr">{ansi2html(chr(10).join(output.traceback))}</pre>'
    for kind, show in (("text/html", str), ("text/markdown", markdown), ("text/plain", lambda t: f"<pre>{html.escape(t)}</pre>")):
        if kind in output.data:
            return f'<div class="shown">{show(output.data[kind])}</div>'
    return ""


def cells_of(notebook, playground):
    """The cells as the template reads them."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        shown = {"tags": tags, "id": cell.id, "playground": playground and "playground" in tags}
        if cell.cell_type == "markdown":
            yield shown | {"text": markdown(cell.source)}
        elif cell.cell_type == "code":
            yield shown | {"code": coloured(cell.source), "outputs": [output_html(o) for o in cell.outputs]}


def title_of(notebook):
    return re.search(r"^# (.+)$", notebook.cells[0].source, re.M).group(1)


def goal_of(notebook):
    found = re.search(r"^\*\*Goal\.\*\* (.+)$", notebook.cells[0].source, re.M)
    return markdown(found.group(1)) if found else ""


def verdict_of(notebook):
    """What cells tagged verdict print."""
    return [
        output_html(output) for cell in notebook.cells if "verdict" in cell.metadata.get("tags", [])
        for output in cell.get("outputs", [])
    ]


def policy(page, sources):
    """A content security policy that names every script of a page by its hash."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    hashes = {"'sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() + "'" for s in scripts}
    allowed = " ".join(sorted(hashes) + list(sources)) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def playground_part():
    """The trained model as a part of a page."""
    found = subprocess.run(
        ["go", "run", "./notebooks/fragment"], cwd=chapters.ROOT, stdout=subprocess.PIPE, check=True,
        env=os.environ | {"GOFLAGS": "-buildvcs=false"},
    )
    return json.loads(found.stdout)


def render(template, **values):
    """Fill a page; its policy comes last, since it depends on all the rest."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(chapters.HERE / "page"), autoescape=jinja2.select_autoescape(["html"]),
    )
    style = (chapters.HERE / "page" / "page.css").read_text() + code_style()
    part = values.get("playground") or {"sources": []}
    page = environment.get_template(template).render(style=style, policy="POLICY", **values)
    return page.replace("POLICY", html.escape(policy(page, part["sources"])), 1)


def code_style():
    light = HtmlFormatter(style="default").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n.code {{ background: none !important; }}\n"


def write(path, text):
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    print(f"{path.relative_to(chapters.ROOT) if path.is_relative_to(chapters.ROOT) else path}: {len(text.encode()) / 1e6:.2f} MB", flush=True)


def export(out, with_playground):
    paths = chapters.find()
    notebooks = {path: nbformat.read(path, as_version=4) for path in paths}
    contents = [{"href": path.stem + ".html", "title": title_of(n), "goal": goal_of(n)} for path, n in notebooks.items()]
    part = playground_part() if with_playground else None
    out.mkdir(parents=True, exist_ok=True)
    for i, (path, notebook) in enumerate(notebooks.items()):
        has = part if any("playground" in cell.metadata.get("tags", []) for cell in notebook.cells) else None
        page = render(
            "chapter.html", title=title_of(notebook), cells=list(cells_of(notebook, has)), playground=has,
            before=contents[i - 1] if i else None, after=contents[i + 1] if i + 1 < len(contents) else None,
        )
        write(out / (path.stem + ".html"), page)
    verdict = [text for notebook in notebooks.values() for text in verdict_of(notebook)]
    write(out / "index.html", render("index.html", title="MMILN, step by step", contents=contents, verdict=verdict))


def main():
    arguments = argparse.ArgumentParser(description="Write the walkthrough as HTML.")
    arguments.add_argument("--out", type=pathlib.Path, default=OUT, help="folder of the pages")
    arguments.add_argument("--execute", action="store_true", help="execute all chapters first")
    arguments.add_argument("--no-playground", action="store_true", help="leave the model in the page out")
    chosen = arguments.parse_args()
    if chosen.execute:
        done = subprocess.run([sys.executable, chapters.HERE / "execute.py"])
        if done.returncode:
            sys.exit(done.returncode)
    export(chosen.out.resolve(), not chosen.no_playground)


if __name__ == "__main__":
    main()
