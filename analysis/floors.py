"""Two readings of "over 3,000" compared by leave-one-out: a cell of the source's grid, or a cell with slack above it.

Run from the root of the repository: python analysis/floors.py. Takes about ten minutes on two cores and writes floors.csv beside it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import attrition as at
from attrition.checks.pointwise import leave_one_out, leave_one_out_by_refit

VINTAGES = ("2024-12-23", "2025-01-16", "2025-02-28", "2026-02-13")
LARGEST_K = 0.7


def densities(fit: at.Fit) -> pd.Series:
    """Log predictive probability of each claim from the others: by PSIS, by a refit where that is not to be trusted."""
    psis = leave_one_out(fit)
    names = [str(name) for name in psis.elpd_i["claim"].values]
    found = pd.Series(np.asarray(psis.elpd_i), index=names)
    doubtful = found.index[np.asarray(psis.pareto_k) > LARGEST_K]
    for name, value in leave_one_out_by_refit(fit, list(doubtful)).items():
        found[name] = value
    return found


def main() -> None:
    """Fit both readings at each vintage and write one row a claim."""
    claims, campaign = at.load_claims("dprk-kursk"), at.load_campaign("dprk-kursk")
    rows = []
    for floors in ("slack", "cell"):
        fit = None
        for vintage in VINTAGES:
            if fit is None:
                fit = at.fit(claims, campaign, seed=1, known_by=vintage, reporting=at.Reporting(floors=floors))
            else:
                fit = at.refit(fit, claims, campaign=campaign, known_by=vintage)
            bounds = dict(zip(fit.seen.claims["claim_id"], fit.seen.claims["bound"], strict=True))
            total = np.quantile(fit.array("cumulative_loss")[..., -1], (0.05, 0.5, 0.95)).round(-1)
            print(vintage, floors, "total", total, "gate passed" if fit.passed else "GATE FAILED", flush=True)
            for name, value in densities(fit).items():
                rows.append(
                    {"vintage": vintage, "claim_id": name, "bound": bounds[name], "floors": floors, "elpd": value}
                )
    table = pd.DataFrame(rows).pivot(index=["vintage", "claim_id", "bound"], columns="floors", values="elpd")
    table["slack_less_cell"] = table["slack"] - table["cell"]
    table.round(3).to_csv(Path(__file__).with_name("floors.csv"))
    for vintage, part in table.groupby("vintage"):
        difference = part["slack_less_cell"]
        spread = np.sqrt(len(difference) * difference.var())
        print(f"{vintage}: slack less cell {difference.sum():+.2f}, standard error {spread:.2f}")


if __name__ == "__main__":
    main()
