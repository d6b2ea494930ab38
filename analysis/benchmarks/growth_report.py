"""Growth as tables (growth.md) and a figure (growth.svg, growth.png), with the exponents of growth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

LARGEST = 3  # sizes that an exponent is fitted to
FULL = 4 * 2000  # draws and tuning steps of a fit with the package's own settings
LEAST_GB = 0.01  # growth of memory below it is not told from chance
LIMIT_GB = 6.0
INK, LINE, LIMIT = "#0b559f", "#8a8a8a", "#b3261e"

type Row = Mapping[str, Any]


def at_full(row: Row) -> float:
    """Seconds of a fit with 4 x (1,000 + 1,000) draws: as run, or with the sampler's share scaled up from fewer."""
    settings, seconds = row["settings"], row["seconds"]
    run = settings["chains"] * (settings["draws"] + settings["tune"])
    return float(seconds["fit"] + seconds["sample"] * (FULL / run - 1.0))


def above_small(row: Row) -> float:
    """Peak memory above that of the same process after a fit of ten claims (GB)."""
    return max(float(row["peak_gb"] - row["before_gb"]), 0.0)


def seconds_of(name: str) -> Callable[[Row], float]:
    """Seconds of one stage."""
    return lambda row: float(row["seconds"][name])


MEASURES: tuple[tuple[str, Callable[[Row], float]], ...] = (
    ("one gradient, microseconds", lambda row: 1e6 * row["gradient"]),
    ("read, a DataFrame", seconds_of("read")),
    ("read, a CSV file", seconds_of("read_file")),
    ("dependence", seconds_of("dependence")),
    ("simulate", seconds_of("simulate")),
    ("simulated record as claims", seconds_of("restate")),
    ("observe", seconds_of("observe")),
    ("containers", seconds_of("containers")),
    ("fit, as run", seconds_of("fit")),
    ("of it layout", seconds_of("layout")),
    ("of it search for the frame", seconds_of("frame")),
    ("of it sampling", seconds_of("sample")),
    ("**fit at 4 x (1,000 + 1,000)**", at_full),
    ("convergence gate", seconds_of("gate")),
    ("log likelihood by claim", seconds_of("by_claim")),
    ("save", seconds_of("save")),
    ("load", seconds_of("load")),
    ("peak memory, GB", lambda row: float(row["peak_gb"])),
    ("of it above a fit of ten claims", above_small),
    ("saved fit, MB", lambda row: float(row["file_mb"])),
)


def exponent(sizes: Sequence[float], values: Sequence[float], least: float = 0.0) -> tuple[float, float]:
    """Slope and intercept of log value on log size, over the three largest sizes with a value above ``least``.

    Returns
    -------
    slope, intercept
        nan where fewer than two sizes are left.
    """
    pairs = [(size, value) for size, value in zip(sizes, values, strict=True) if value > least]
    if len(pairs) < 2:
        return float("nan"), float("nan")
    x, y = np.log(np.array(pairs[-LARGEST:])).T
    slope, intercept = np.polyfit(x, y, 1)
    return float(slope), float(intercept)


def write(results: Mapping[str, Any], folder: Path) -> None:
    """Write the tables and the figure."""
    (folder / "growth.md").write_text(page(results), encoding="utf-8")
    figure(results, folder)


def page(results: Mapping[str, Any]) -> str:
    """Tables of both series, as Markdown."""
    machine = results["machine"]
    lines = [
        "# Growth",
        "",
        f"{results['made']}, {machine['cores']} cores ({machine['processor']}), Python {machine['python']}; load before the "
        f"first run {machine['load_before']}. "
        f"{', '.join(f'{name} {number}' for name, number in machine['packages'].items())}.",
        "",
        f"Simulated records of twelve sources. Seconds unless said, in a process that has fitted ten claims before. Exponent: "
        f"slope of the logarithms over the {LARGEST} largest sizes (memory above a fit of ten claims: of those over "
        f"{1000 * LEAST_GB:.0f} MB). Large records are given fewer draws, as the table says: too few for the sampler to converge "
        f"(smallest ESS). The fit at 4 x (1,000 + 1,000) draws is then the sampler's seconds scaled up (~), at the steps of draws "
        f"that are mostly tuning: its order of magnitude. One gradient, the frame's search and memory do not depend on that.",
    ]
    for size, title in (
        ("claims", f"claims, {results['claim_days']} days"),
        ("days", f"days, {results['day_claims']} claims"),
    ):
        if results[size]:
            lines += ["", f"## By the number of {title}", "", *_table(results[size], size)]
    for row in results["failed"]:
        lines += ["", f"**{row['claims']:,} claims, {row['days']:,} days: {row['failed']}.**"]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Row], size: str) -> list[str]:
    sizes = [row[size] for row in rows]
    lines = [_line("", [f"{one:,}" for one in sizes], "exponent"), "| --- " * (len(rows) + 2) + "|"]
    lines.append(_line("draws", [_draws(row) for row in rows]))
    lines.append(_line("parameters sampled", [f"{row['parameters']:,}" for row in rows]))
    lines.append(_line("steps a draw", [f"{row['steps']:.0f}" for row in rows]))
    lines.append(_line("smallest ESS", [f"{row['min_ess']:,.0f}" for row in rows]))
    lines.append(_line("gradients of the frame's search", [f"{row['frame_gradients']:,}" for row in rows]))
    for label, value in MEASURES:
        values = [value(row) for row in rows]
        least = LEAST_GB if value is above_small else 0.0
        slope = exponent(sizes, values, least)[0]
        scaled = ["~" if value is at_full and _total(row) != FULL else "" for row in rows]
        cells = [mark + _short(one) for mark, one in zip(scaled, values, strict=True)]
        lines.append(_line(label, cells, "" if np.isnan(slope) else f"{slope:.2f}"))
    lines.append(_line("total: true value", [f"{row['total']['truth']:,.0f}" for row in rows]))
    lines.append(
        _line("total: 90% interval", [f"{row['total']['low']:,.0f} to {row['total']['high']:,.0f}" for row in rows])
    )
    return lines


def _total(row: Row) -> int:
    settings = row["settings"]
    return int(settings["chains"] * (settings["draws"] + settings["tune"]))


def _draws(row: Row) -> str:
    settings = row["settings"]
    return f"{settings['chains']} x ({settings['tune']:,} + {settings['draws']:,})"


def _line(label: str, cells: Sequence[str], last: str = "") -> str:
    return f"| {label} | {' | '.join(cells)} | {last} |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def figure(results: Mapping[str, Any], folder: Path) -> None:
    """Draw the gradient, the fit and the memory against both sizes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    series = [(size, results[size]) for size in ("claims", "days") if len(results[size]) > 1]
    if not series:
        return
    fixed = {"claims": f"Claims ({results['claim_days']} days)", "days": f"Days ({results['day_claims']} claims)"}
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "attrition", "font.size": 8}):
        drawn = Figure(figsize=(7.5, 2.5 * len(series) + 0.2), layout="constrained")
        axes = drawn.subplots(len(series), 3, squeeze=False)
        for line, (size, rows) in zip(axes, series, strict=True):
            sizes = [row[size] for row in rows]
            for ax in line:
                _prepare(ax, sizes, fixed[size])
            _gradients(line[0], sizes, rows)
            _fits(line[1], sizes, rows)
            _memory(line[2], sizes, rows)
        for ending, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            drawn.savefig(folder / f"growth.{ending}", dpi=200, metadata=metadata, bbox_inches="tight")


def _prepare(ax: Any, sizes: Sequence[int], label: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(min(sizes) / 2.0, max(sizes) * 2.0)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(sizes, [f"{one // 1000}k" if one % 1000 == 0 and one >= 10_000 else f"{one:,}" for one in sizes])
    ax.yaxis.set_major_locator(LogLocator(10, numticks=12))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel(label)
    ax.grid(lw=0.3, color="#dddddd")
    ax.spines[["top", "right"]].set_visible(False)


def _points(ax: Any, sizes: Sequence[int], values: Sequence[float], full: Sequence[bool], title: str) -> None:
    for size, value, filled in zip(sizes, values, full, strict=True):
        ax.plot(size, value, "o", ms=4, color=INK, mfc=INK if filled else "white", zorder=3)
        text = f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
        ax.annotate(text, (size, value), (0, 5), textcoords="offset points", ha="center", fontsize=7, color=INK)
    ax.set_ylim(min(values) / 2.5, max(values) * 8.0)  # room for the legend
    ax.set_title(title, fontsize=8, loc="left")


def _legend(ax: Any) -> None:
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=7, loc="upper left", handlelength=1.6, borderaxespad=0.1)


def _line_of(ax: Any, sizes: Sequence[int], values: Sequence[float], least: float = 0.0, base: float = 0.0) -> None:
    """The fitted power of the size, over the sizes that it was fitted to, above a base."""
    slope, intercept = exponent(sizes, values, least)
    if np.isnan(slope):
        return
    used = [size for size, value in zip(sizes, values, strict=True) if value > least][-LARGEST:]
    span = np.geomspace(used[0], used[-1], 50)
    label = f"exponent {slope:.2f}" + (f", above {base:.2f} GB" if base else "")
    ax.plot(span, base + np.exp(intercept) * span**slope, "--", lw=1, color=LINE, label=label)


def _gradients(ax: Any, sizes: Sequence[int], rows: Sequence[Row]) -> None:
    values = [1e6 * row["gradient"] for row in rows]
    _points(ax, sizes, values, [True] * len(rows), "One gradient (µs)")
    _line_of(ax, sizes, values)
    _legend(ax)


def _fits(ax: Any, sizes: Sequence[int], rows: Sequence[Row]) -> None:
    values, full = [at_full(row) for row in rows], [_total(row) == FULL for row in rows]
    _points(ax, sizes, values, full, "Fit of 4 × (1,000 + 1,000) draws (s)")
    _line_of(ax, sizes, values)
    if not all(full):
        ax.plot([], [], "o", ms=4, color=INK, mfc="white", label="scaled up from fewer draws")
    _legend(ax)


def _memory(ax: Any, sizes: Sequence[int], rows: Sequence[Row]) -> None:
    values = [row["peak_gb"] for row in rows]
    _points(ax, sizes, values, [True] * len(rows), "Peak memory of the process (GB)")
    _line_of(
        ax, sizes, [above_small(row) for row in rows], LEAST_GB, float(np.median([row["before_gb"] for row in rows]))
    )
    ax.axhline(LIMIT_GB, lw=0.8, color=LIMIT, label=f"limit: {LIMIT_GB:g} GB")
    ax.set_ylim(0.1, 60.0)
    _legend(ax)
