"""What the scripts of the walkthrough share: where the chapters are, how they are written, and when they are stale."""

import hashlib
import os
import pathlib
import re
import sys

import nbformat

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def find(prefixes=()):
    """The chapters in order, or those whose names begin with one of the prefixes."""
    paths = sorted([*HERE.glob("[0-9][0-9]_*.ipynb"), HERE / "notation.ipynb"])
    unknown = [p for p in prefixes if not any(path.name.startswith(p) for path in paths)]
    if unknown:
        sys.exit(f"no chapter begins with {', '.join(unknown)}; there are {', '.join(path.stem for path in paths)}")
    return [path for path in paths if not prefixes or path.name.startswith(tuple(prefixes))]


def write(notebook, path):
    """Put a notebook in its place in one step."""
    partial = path.with_suffix(".partial")
    nbformat.write(notebook, partial)
    os.replace(partial, path)


def merge_outputs(notebook):
    """Join the pieces in which a stream arrived, and drop what was shown only while a cell ran."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            if output.output_type == "stream" and kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                kept[-1].text += output.text
            elif not is_empty(output):
                kept.append(output)
        cell.outputs = kept


def is_empty(output):
    """Whether an output shows nothing, such as a progress bar that was cleared."""
    html = output.get("data", {}).get("text/html")
    return html is not None and not re.sub(r"</?div[^>]*>", "", html).strip()


def code_cells(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def stamp(notebook):
    """What the outputs were made from: stale_test.go computes the same."""
    code = code_cells(notebook)
    return {
        "cells_sha256": hashlib.sha256("".join(source + "\0" for source in code).encode()).hexdigest(),
        "imports_sha256": hash_packages(imported(code)),
    }


def imported(code):
    """The packages of this repository that the cells import."""
    return sorted({name for source in code for name in re.findall(r'"github\.com/mmiln/workbench/([^"]+)"', source)})


def hash_packages(packages):
    """A hash over the Go files, tests aside, of packages."""
    digest = hashlib.sha256()
    for package in packages:
        for file in sorted((ROOT / package).glob("*.go")):
            if not file.name.endswith("_test.go"):
                digest.update(f"{package}/{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()
