"""The rules of the house, checked on the source itself."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import attrition

ROOT = Path(attrition.__file__).parent
ORDER = [
    "errors", "threads", "normal", "coding", "packages", "cells", "reading", "display", "validation", "claims", "sayings",
    "rounding", "copies",
    "campaign", "priors", "parameters", "running", "curves", "reporting", "observations", "claim_data", "containers",
    "strength", "latent", "claim_error", "extension", "build", "simulate", "kernel", "graph_name", "kept_graph",
    "sampling", "fitted", "storage", "drawing", "manpower",
    "scenarios", "projection", "crossing", "depletion", "prior_draws", "checks", "prior_texts", "guide", "guide_text",
    "inference", "many", "leaving_out", "readings", "conform", "publishing", "calibration", "cli",
]  # fmt: skip
EXCEPTIONS = {("fitted", "storage")}  # Fit.save reads well where a user looks for it
HEAVY = ("pymc", "pytensor", "nutpie", "arviz", "matplotlib", "pandas", "scipy", "xarray")
PATHS = sorted(path for path in ROOT.rglob("*.py") if "_data" not in path.parts)
MODULES = {str(path.relative_to(ROOT)): path for path in PATHS}
every_module = pytest.mark.parametrize("module", MODULES)


def tree(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def part_of(module):
    return Path(module).parts[0].removesuffix(".py")


def imported(module):
    """Parts of the package that a module imports, wherever in the module it does."""
    package = ["attrition", *Path(module).parts[:-1]]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module.split(".") if node.module else [])]
            names = [".".join([*stem, alias.name]) for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "attrition" and len(parts) > 1:
                yield node.lineno, parts[1]


def public(module):
    """Public functions, classes and methods as (name, node)."""
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and (inner.name[0] != "_" or inner.name == "__init__"):
                        yield f"{node.name}.{inner.name}", inner


def test_the_list_of_parts_is_the_package():
    assert {part_of(module) for module in MODULES} - {"__init__"} <= set(ORDER)
    assert len(set(ORDER)) == len(ORDER)


@every_module
def test_a_module_is_short(module):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400


@every_module
def test_imports_go_only_upward(module):
    part = part_of(module)
    if part == "__init__":
        return
    for line, other in imported(module):
        if other != part and (part, other) not in EXCEPTIONS:
            assert other in ORDER, f"{module}:{line} imports {other}"
            assert ORDER.index(other) < ORDER.index(part), f"{module}:{line} imports {other}"


def test_the_exceptions_are_still_needed_and_lazy():
    for part, other in EXCEPTIONS:
        module = f"{part}.py"
        lines = {line for line, name in imported(module) if name == other}
        top = {node.lineno for node in tree(module).body}
        assert lines
        assert not lines & top


@every_module
def test_init_holds_only_imports_and_all(module):
    if Path(module).name != "__init__.py":
        return
    for node in tree(module).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        attach = isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0])
        assert docstring or attach or isinstance(node, ast.Import | ast.ImportFrom), ast.unparse(node)


@every_module
def test_public_signatures_name_every_argument(module):
    for name, node in public(module):
        assert isinstance(node, ast.ClassDef) or node.args.kwarg is None, name


@every_module
def test_public_things_have_docstrings(module):
    assert ast.get_docstring(tree(module))
    for name, node in public(module):
        if not name.endswith("__init__"):
            assert ast.get_docstring(node), name


@every_module
def test_no_exception_is_caught_blindly(module):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, node.lineno
            caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
            passed_on = ast.unparse(node.body[-1]) == "raise"
            assert passed_on or not caught & {"Exception", "BaseException"}, node.lineno


@every_module
def test_only_the_command_line_prints(module):
    calls = [node for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    prints = [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert part_of(module) == "cli" or not prints


@every_module
def test_no_default_is_mutable(module):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                assert not isinstance(default, ast.List | ast.Dict | ast.Set), ast.unparse(node)[:80]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


def test_import_is_light():
    done = run(f"import attrition, sys; print([m for m in {HEAVY} if m in sys.modules])")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_every_public_name_resolves():
    done = run("import attrition; print([n for n in attrition.__all__ if not hasattr(attrition, n)])")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
