"""Execute chapters in the GoNB kernel and write their outputs into them.

    python notebooks/execute.py            # all chapters, in order
    python notebooks/execute.py 03 05      # some
    python notebooks/execute.py --stock    # with whatever kernel named gonb Jupyter finds, instead of that of `mmiln lab`

Needs the packages of notebooks/requirements.txt. A chapter is written when all of its cells have run; one that fails is left
as it was, its error is printed, and the exit status is 1. With --check nothing is written.
"""

import argparse
import os
import subprocess
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

import chapters

CELL_TIMEOUT = 600  # seconds; a whole chapter takes less than half of that on two cores


def use_lab_kernel():
    """Put the kernel of `mmiln lab` on JUPYTER_PATH, prepared where it is not there yet."""
    found = subprocess.run(
        ["go", "run", "./mmiln/cmd/mmiln", "lab", "--prepare"],
        cwd=chapters.ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )
    path = found.stdout.strip().removeprefix("JUPYTER_PATH=")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [path, os.environ.get("JUPYTER_PATH")]))


def execute(path):
    """Run a chapter and return it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, kernel_name="gonb", timeout=CELL_TIMEOUT, resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
    )
    client.execute(stderr=subprocess.DEVNULL)  # the kernel's own log
    chapters.merge_outputs(notebook)
    notebook.metadata["mmiln"] = chapters.stamp(notebook)
    return notebook


def main():
    arguments = argparse.ArgumentParser(description="Execute chapters of the walkthrough.")
    arguments.add_argument("chapters", nargs="*", help="the first characters of their names; none: all")
    arguments.add_argument("--stock", action="store_true", help="use the kernel named gonb that Jupyter finds")
    arguments.add_argument("--check", action="store_true", help="only see that they run; write nothing")
    chosen = arguments.parse_args()
    if not chosen.stock:
        use_lab_kernel()
    failed = 0
    for path in chapters.find(chosen.chapters):
        began = time.monotonic()
        try:
            notebook = execute(path)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            failed += 1
            continue
        if not chosen.check:
            chapters.write(notebook, path)
        print(f"{path.name}: {time.monotonic() - began:.0f} s, {path.stat().st_size / 1e6:.2f} MB", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
