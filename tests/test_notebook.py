"""The notebook is the paired text, its committed outputs are of this text, and it runs again with fewer draws."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "analysis"
NOTEBOOK = FOLDER / "kursk-january-2025.ipynb"


def test_notebook_and_text_are_paired_and_outputs_committed():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    text = jupytext.read(NOTEBOOK.with_suffix(".py"))
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in text.cells]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(out.output_type == "error" for cell in code for out in cell.outputs)
    pictures = sum("image/png" in out.get("data", {}) for cell in code for out in cell.outputs)
    assert pictures == 3


def test_notebook_runs_again_with_fewer_draws():
    notebook = jupytext.read(NOTEBOOK.with_suffix(".py"))
    cell = next(cell for cell in notebook.cells if "draws = 1000" in cell.source)
    cell.source = cell.source.replace("draws = 1000", "draws = 600").replace("draws=draws", "draws=draws, tune=400")
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": FOLDER}}).execute()
    cell = next(cell for cell in notebook.cells if "textwrap.fill" in cell.source)
    printed = " ".join(cell.outputs[0].text.split())
    assert "killed or wounded a day since 6 December" in printed
    assert "by 15 April" in printed
