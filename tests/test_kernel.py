"""The kernel: cells far into the tails, the kept machine code and what is refused of it, and draws beside PyMC's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

import attrition as at
from attrition.kernel import access, interval, store
from attrition.kernel.forms import form_of
from attrition.kernel.interval import ABOVE, AT, BELOW, BOUNDED
from attrition.reporting import log_probability
from attrition.rounding import CEILING, FLOOR, LINEAR, POINT


@njit
def cell(normal, kind, log_low, log_high, log_width, mu, scale):
    return interval.cell(normal, kind, log_low, log_high, log_width, mu, scale)


FORMS = {BOUNDED: LINEAR, ABOVE: FLOOR, BELOW: CEILING, AT: POINT}


def by_the_text(kind, low, high, mu, scale, errors):
    """Log probability of the same cell by ``reporting.log_probability``."""
    value, unit = (low, high - low) if kind == BOUNDED else (high, high) if kind == BELOW else (low, low)
    one = [np.array([number]) for number in (value, mu, scale)]
    rest = [np.array([number], dtype=float) for number in (FORMS[kind], unit, 0.0)]
    return float(log_probability(one[0], one[1], one[2], *rest, errors, np)[0])


@pytest.mark.parametrize("errors", ["logistic", "normal"])
@pytest.mark.parametrize("kind", list(FORMS))
def test_cells_and_their_slopes(errors, kind):
    """Against the text, and the slopes against differences of it, from the middle to thirty sds out."""
    for distance in (-30.0, -6.0, -1.3, 0.0, 0.4, 5.0, 30.0):
        for width in (1e-7, 1e-3, 0.3, 3.0):
            for scale in (0.05, 0.4):
                low, mu = 3000.0, np.log(3000.0) - distance * scale
                high = low * np.exp(width)
                at_low = np.log(high) if kind == BELOW else np.log(low)

                def value(mu, scale, at_low=at_low, width=width):
                    return cell(errors == "normal", kind, at_low, np.log(3000.0) + width, width, mu, scale)

                log_p, by_mu, by_scale = value(mu, scale)
                expected = by_the_text(kind, low, high, mu, scale, errors)
                if kind == AT:
                    expected += np.log(low)
                assert log_p == pytest.approx(expected, rel=1e-7, abs=1e-9)
                step = 1e-6
                slopes = [
                    (value(mu + step, scale)[0] - value(mu - step, scale)[0]) / (2 * step),
                    (value(mu, scale * (1 + step))[0] - value(mu, scale * (1 - step))[0]) / (2 * step * scale),
                ]
                np.testing.assert_allclose([by_mu, by_scale], slopes, rtol=2e-4, atol=2e-4 / scale)


@pytest.mark.parametrize(
    "odd", [np.arange(8.0)[::2], np.arange(4, dtype=np.float32), np.eye(4)], ids=["strided", "half", "rows"]
)
def test_views_are_made_of_whole_vectors_alone(odd):
    @njit
    def second(vector):
        return access.piece(vector, 1, 2)[0]

    assert second(np.arange(4.0)) == 1.0
    with pytest.raises(TypingError):
        second(odd)


def test_only_the_package_s_own_curves_are_compiled():
    class Own(at.ConstantRate):
        def rate(self, quantities, data, xp):
            return 2.0 * super().rate(quantities, data, xp)

    class SameRate(at.ConstantRate):
        pass

    assert form_of(Own()) is None
    assert form_of(SameRate()) == form_of(at.ConstantRate()) is not None


def test_a_change_of_anything_that_enters_the_kernel_changes_its_name():
    """Modules of types and errors enter no machine code."""
    folder = Path(store.__file__).parent
    taken = {
        name for path in folder.glob("*.py") for name in re.findall(r"^from \.\.(\w+) import", path.read_text(), re.M)
    }
    assert taken - {"errors", "latent", "parameters", "priors"} <= set(store.TEXT)
    assert all((folder.parent / f"{name}.py").is_file() for name in store.TEXT)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_kept_comes_back_and_is_private(cache):
    assert store.read() is None
    path = store.write(b"\x80\x04K*.")  # a pickle of 42
    assert store.read() == 42
    assert path.stat().st_mode & 0o077 == 0
    assert cache.stat().st_mode & 0o077 == 0
    assert [(entry.path, entry.current) for entry in store.entries()] == [(path, True)]
    assert store.clear() == 1
    assert store.read() is None


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "foreign text", "others may write", "folder open"])
def test_what_cannot_be_trusted_is_not_used(cache, change, caplog):
    path = store.write(b"\x80\x04K*.")
    content = path.read_bytes()
    if change == "flip":
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    elif change == "cut":
        path.write_bytes(content[:-1])
    elif change == "empty":
        path.write_bytes(b"")
    elif change == "foreign text":
        path.write_bytes(b"cos\nsystem\n(S'echo hacked'\ntR.")
    elif change == "others may write":
        path.chmod(0o666)
    else:
        cache.chmod(0o777)
    assert store.read() is None
    assert caplog.records


def test_old_entries_go(cache):
    store.write(b"now")
    for number in range(6):
        old = cache / f"{number}{store.ENDING}"
        old.write_bytes(b"old")
        os.utime(old, (number, number))
    store.write(b"now")
    assert len(store.entries()) == store.KEPT_ENTRIES
    assert any(entry.current for entry in store.entries())


def test_writers_at_once_leave_one_whole_entry(cache):
    threads = [threading.Thread(target=store.write, args=(b"\x80\x04K*.",)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read() == 42
    assert len(list(cache.iterdir())) == 1


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "file" / "below"))
    assert store.write(b"x") is None
    assert "could not be kept" in caplog.text


KEPT = """
import sys
import attrition as at
fit = at.fit(at.load_claims("dprk-kursk"), at.load_campaign("dprk-kursk"), known_by="2025-01-16", seed=1,
             settings=at.Settings(draws=50, tune=200, chains=2), progress=False)
assert not {"pymc", "pytensor"} & set(sys.modules), "PyMC was imported"
print(fit.array("cumulative_loss")[..., -1].tobytes().hex())

import numba, numpy as np  # what was kept was rebuilt without all that compiling needs: compiling still works

@numba.njit
def other(a):
    return np.linalg.inv(a) @ a, np.sort(a.ravel())

unit, order = other(np.array([[3.0, 1.0], [1.0, 2.0]]))
assert np.allclose(unit, np.eye(2)) and order.tolist() == [1.0, 1.0, 2.0, 3.0]
"""


def test_two_processes_draw_the_same_without_pymc():
    runs = [subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True) for _ in range(2)]
    assert all(run.returncode == 0 for run in runs), runs[0].stderr + runs[1].stderr
    assert runs[0].stdout == runs[1].stdout != ""


def test_somebody_who_waits_for_the_compiler_is_told_before(monkeypatch, capsys):
    """The first fit on a machine: the notice comes before anything is compiled, also by the search for the frame."""
    from attrition import drawing, sampling
    from attrition.kernel import callbacks, model

    told = []

    def compiled(*given):
        told.append(capsys.readouterr().err)
        raise InterruptedError

    monkeypatch.setattr(callbacks, "is_kept", lambda: False)
    monkeypatch.setattr(callbacks, "callbacks", compiled)
    monkeypatch.setattr(model, "kernel_model", compiled)
    with pytest.raises(InterruptedError):
        drawing.draw_laid_out({}, {}, None, None, None, None, 1, progress=None)
    assert sampling.COMPILING_ONCE in told[0]
