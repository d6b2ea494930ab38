"""The comparison as a table (results.md) and a figure (results.svg, results.png)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

GROUPS = (("As one would write it", False), ("Given our parametrisation", True))
OURS, OTHER = "#0b559f", "#767676"
SAMPLING = (
    "Seconds of sampling: attrition, those that the fit keeps with its draws (the published quantities, computed after them, take a "
    "fiftieth more; of a fit sampled twice, all of it); PyMC, the `sampling_time` that pm.sample writes in its result; nutpie, the call "
    "of `nutpie.sample`; NumPyro, the run of the sampler's program, which is compiled ahead of time; Stan, the call of `sample` on the "
    "built program (a fiftieth of it is not the chains'). Compile: for PyMC what is left of pm.sample's seconds, diagnostics included; "
    "for NumPyro, tracing and compiling, or reading the compiled program from its cache; for Stan, `stan.build`. Times: attrition's "
    "median per second of sampling over that of the row."
)


def write(results: Mapping[str, Any], folder: Path) -> None:
    """Write the table and the figure."""
    (folder / "results.md").write_text(page(results), encoding="utf-8")
    figure(results, folder)


def page(results: Mapping[str, Any]) -> str:
    """The table and what was measured how, as Markdown."""
    rows, machine = results["alternatives"], results["machine"]
    draws = f"4 x ({results['draws']:,} + {results['draws']:,})"
    lines = [
        "# The January problem, fitted in many ways",
        "",
        f"The record known by 2025-01-16, the same model, priors and data in every program, {draws} draws. {results['made']}, "
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}; load before the first run "
        f"{machine['load_before']}. {', '.join(f'{name} {number}' for name, number in machine['packages'].items())}.",
        "",
        "Medians with the smallest and largest in brackets. Wall seconds are of whole processes, from a cold interpreter to its "
        "end; cold: every compiler's cache empty. ESS: the smallest effective sample size over the published quantities; per "
        "second of the warm wall, and per second of sampling alone, which is tuning and drawing in a process whose caches are warm. "
        "Memory: the peak of the largest process.",
        "",
        SAMPLING,
    ]
    for title, ours in GROUPS:
        chosen = {name: row for name, row in rows.items() if row["ours"] == ours}
        if not chosen:
            continue
        lines += ["", f"## {title}", ""]
        lines.append(
            "| way | target acceptance | wall warm, s | wall cold, s | compile warm / cold, s | sample, s | steps a draw "
            "| min ESS bulk / tail | ESS per s bulk / tail | min ESS per second of sampling (bulk / tail) | times (bulk / tail) | R-hat | divergences | memory, MB | agrees |"
        )
        lines.append("| --- " * 15 + "|")
        lines += [_row(row, rows["attrition"]) for row in chosen.values()]
    lines += ["", "## Agreement of the posteriors", "", *_agreement(rows)]
    return "\n".join(lines) + "\n"


def _row(row: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    agrees = {True: "yes", False: "**no**", None: ""}[row.get("agrees")]
    times = (ours[key]["median"] / row[key]["median"] for key in ("bulk_per_sampling", "tail_per_sampling"))
    cells = [
        row["label"],
        f"{row['accept']:g}",
        _of(row["wall_warm"], 1),
        _of(row["wall_cold"], 1),
        f"{_of(row['compile_warm'], 1)} / {_of(row['compile_cold'], 1)}",
        _of(row["sample_warm"], 1),
        _of(row["steps"], 0),
        f"{_of(row['bulk'], 0)} / {_of(row['tail'], 0)}",
        f"{_of(row['bulk_per_second'], 0)} / {_of(row['tail_per_second'], 0)}",
        f"{_of(row['bulk_per_sampling'], 0)} / {_of(row['tail_per_sampling'], 0)}",
        "" if row is ours else " / ".join(f"{ratio:.1f}" for ratio in times),
        f"{row['rhat']['max']:.3f}",
        ", ".join(str(number) for number in row["divergences"]),
        _of(row["memory"], 0),
        agrees,
    ]
    return f"| {' | '.join(cells)} |"


def _of(value: Mapping[str, float], digits: int) -> str:
    middle, low, high = (f"{value[key]:,.{digits}f}" for key in ("median", "min", "max"))
    return middle if value["n"] == 1 else f"{middle} ({low} to {high})"


def _agreement(rows: Mapping[str, Any]) -> list[str]:
    """A line for each program, with what departs most from this package's posterior."""
    lines = [
        "Means and 5%, 50% and 95% quantiles of every published quantity, all warm runs together, against this package's: the "
        "difference in Monte Carlo standard errors. The limit is passed by one of a thousand comparisons of equal posteriors.",
        "",
    ]
    for row in rows.values():
        if "agrees" not in row:
            continue
        worst = "; ".join(f"{name}, {what}: {value:+.1f}" for name, what, value in row["worst_departures"])
        words = "agrees" if row["agrees"] else "**does not agree**"
        ours = ", our parametrisation" if row["ours"] else ""
        lines.append(
            f"- {row['label']}{ours}: {words} (limit {row['departure_limit']:.1f}; largest {worst}); divergences "
            f"{sum(row['divergences'])}, R-hat at most {row['rhat']['max']:.3f}."
        )
    return lines


def figure(results: Mapping[str, Any], folder: Path) -> None:
    """Draw wall seconds, cold and warm, and effective draws per second."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    rows = [row for _, ours in GROUPS for row in results["alternatives"].values() if row["ours"] == ours]
    panels = (
        ("wall_warm", "Whole process, warm (s)"),
        ("wall_cold", "Whole process, cold (s)"),
        ("bulk_per_second", "Smallest bulk ESS per second, warm"),
    )
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "attrition", "font.size": 8}):
        drawn = Figure(figsize=(7.5, 0.32 * len(rows) + 1.1), layout="constrained")
        axes = drawn.subplots(1, len(panels), sharey=True)
        for ax, (key, label) in zip(axes, panels, strict=True):
            for place, row in enumerate(rows):
                color = OURS if row["label"].startswith("attrition") else OTHER
                value = row[key]
                ax.plot([value["min"], value["max"]], [place, place], color=color, lw=1.2)
                ax.plot([value["median"]], [place], "o" if row["ours"] else "s", color=color, ms=4)
                ax.annotate(
                    f"{value['median']:.3g}", (value["median"], place), (0, 4), textcoords="offset points", ha="center"
                )
            ax.set_xscale("log")
            ax.margins(x=0.25)
            low, high = ax.get_xlim()
            ax.xaxis.set_major_locator(LogLocator(10, subs=(1, 3) if high < 200 * low else (1,), numticks=8))
            ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            ax.xaxis.set_minor_formatter(NullFormatter())
            ax.set_xlabel(label)
            ax.grid(axis="x", lw=0.3, color="#dddddd")
            ax.spines[["top", "right", "left"]].set_visible(False)
            ax.tick_params(axis="y", length=0)
        given = [row["ours"] and not row["label"].startswith("attrition") for row in rows]
        names = [row["label"] + (", ours" if ours else "") for row, ours in zip(rows, given, strict=True)]
        axes[0].set_yticks(range(len(rows)), names)
        axes[0].set_ylim(len(rows) - 0.4, -0.7)
        drawn.text(
            0.0,
            0.0,
            "Medians; lines: smallest to largest."
            + (" ours: in this package's parametrisation." if any(given) else ""),
            fontsize=6.5,
            va="top",
        )
        for ending, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            drawn.savefig(folder / f"results.{ending}", dpi=200, metadata=metadata, bbox_inches="tight")
