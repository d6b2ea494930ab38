"""The ways of fitting the January problem that are compared, the environments they need, and one timed run of a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENVIRONMENTS = ROOT / ".bench"
PYTHONS = {"numpyro": f"{sys.version_info.major}.{sys.version_info.minor}", "stan": "3.11"}
OURS = "0.93"  # our own target acceptance
CLI = ("attrition", "fit", "--known-by", "2025-01-16")


@dataclass(frozen=True)
class Alternative:
    """One way of fitting the problem.

    Attributes
    ----------
    label
        For people.
    program
        Script of this folder that writes the draws; for our command line, the one that gives the draws of the same seed.
    options
        Of the script.
    environment
        Folder under ``.bench``; empty for this package's own.
    command
        What is timed, if it is not the script.
    ours
        Whether the model is in our parametrisation.
    """

    label: str
    program: str
    options: tuple[str, ...] = ()
    environment: str = ""
    command: tuple[str, ...] = ()
    ours: bool = False


SHIFTED = ("--shifted", "--accept", OURS)
ALTERNATIVES = {
    "attrition": Alternative("attrition fit", "ours.py", command=CLI, ours=True),
    "attrition-out": Alternative(
        "attrition fit --out (tables, figures)", "ours.py", command=(*CLI, "--out"), ours=True
    ),
    "pymc": Alternative("PyMC, pm.sample()", "plain_pymc.py"),
    "pymc-nuts": Alternative("PyMC, its own sampler", "plain_pymc.py", ("--sampler", "pymc")),
    "nutpie": Alternative("PyMC model, nutpie", "plain_pymc.py", ("--sampler", "nutpie")),
    "numpyro": Alternative("NumPyro, parallel chains", "plain_numpyro.py", (), "numpyro"),
    "numpyro-vectorized": Alternative(
        "NumPyro, vectorised chains", "plain_numpyro.py", ("--method", "vectorized"), "numpyro"
    ),
    "stan": Alternative("Stan", "plain_stan.py", (), "stan"),
    "ours-pymc": Alternative("at.build_model, nutpie", "ours_pymc.py", ("--accept", OURS), ours=True),
    "ours-numpyro": Alternative("NumPyro, parallel chains", "plain_numpyro.py", SHIFTED, "numpyro", ours=True),
    "ours-numpyro-vectorized": Alternative(
        "NumPyro, vectorised chains", "plain_numpyro.py", (*SHIFTED, "--method", "vectorized"), "numpyro", ours=True
    ),
    "ours-stan": Alternative("Stan", "plain_stan.py", SHIFTED, "stan", ours=True),
}


@dataclass(frozen=True)
class Run:
    """One finished process: wall seconds, seconds of processor time, and the peak memory of its largest process (MB)."""

    wall: float
    processor: float
    memory: float


def prepare(names: list[str]) -> None:
    """Make the environments that these alternatives need, from the pinned requirements beside this file."""
    for environment in sorted({ALTERNATIVES[name].environment for name in names} - {""}):
        wanted = HERE / f"requirements-{environment}.txt"
        folder, stamp = ENVIRONMENTS / environment, ENVIRONMENTS / environment / "requirements.txt"
        if stamp.is_file() and stamp.read_bytes() == wanted.read_bytes():
            continue
        uv = _uv()
        print(f"making {folder.relative_to(ROOT)}", flush=True)
        subprocess.run([uv, "venv", "-q", "--clear", "--python", PYTHONS[environment], folder], check=True)
        python = str(folder / "bin" / "python")
        subprocess.run([uv, "pip", "install", "-q", "--compile-bytecode", "--python", python, "-r", wanted], check=True)
        shutil.copyfile(wanted, stamp)


def _uv() -> str:
    own = ROOT / ".boot" / "bin" / "uv"
    found = str(own) if own.is_file() else shutil.which("uv")
    if found is None:
        raise SystemExit("uv is needed to make the environments: run `make setup` first, or install uv")
    return found


def _python(alternative: Alternative) -> str:
    return str(ENVIRONMENTS / alternative.environment / "bin" / "python") if alternative.environment else sys.executable


def script(name: str, data: Path, out: Path, seed: int, caches: Path, draws: int) -> list[str]:
    """Command of the script that writes an alternative's draws."""
    one = ALTERNATIVES[name]
    command = [_python(one), str(HERE / one.program), "--data", str(data), "--out", str(out), "--seed", str(seed)]
    command += ["--draws", str(draws), *one.options]
    return [*command, "--cache", str(caches / "jax")] if one.environment == "numpyro" else command


def timed_command(name: str, data: Path, out: Path, seed: int, caches: Path, draws: int) -> list[str]:
    """Command that is timed: the script, or our command line."""
    one = ALTERNATIVES[name]
    if not one.command:
        return script(name, data, out, seed, caches, draws)
    first, *rest = one.command
    command = [str(Path(sys.executable).parent / first), *rest, "--seed", str(seed), "--draws", str(draws)]
    if rest[-1] == "--out":
        command.remove("--out")
        command += ["--out", str(out.with_suffix(""))]
    return command


def run(command: list[str], caches: Path, log: Path) -> Run:
    """Run a process to its end, with every compiler's cache, and what it leaves behind, in one folder.

    Raises
    ------
    SystemExit
        If it fails, with the end of its output.
    """
    caches.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "HOME": str(caches),
        "XDG_CACHE_HOME": str(caches / "cache"),
        "ATTRITION_CACHE_DIR": str(caches / "attrition"),
        "NUMBA_CACHE_DIR": str(caches / "numba"),
        "PYTENSOR_FLAGS": f"base_compiledir={caches / 'pytensor'}",
        "MPLCONFIGDIR": str(caches / "matplotlib"),
        "OMP_NUM_THREADS": "1",
    }
    with log.open("wb") as stream:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=subprocess.STDOUT, cwd=caches)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        told = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(command)}\nfailed with {process.returncode}:\n{told}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
