"""Keep a fit in one file: netCDF-4, written whole or not at all, refused if damaged or not ours. No pickles.

Layout: one group for each group of the draws; the claims, campaign, priors and settings as JSON text in the attributes; a
SHA-256 over everything.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .campaign import campaign_of
from .claims import Claims, read_claims
from .coding import NUMBERS
from .curves import CURVES, Curve
from .errors import FileError, InputError
from .fitted import Fit
from .observations import observe
from .priors import Prior, Priors
from .reporting import Reporting
from .sampling import Settings

if TYPE_CHECKING:
    import xarray as xr

FORMAT = 1
GROUPS = ("posterior", "free", "sample_stats", "observed_data", "constant_data")


def write_whole(path: str | Path, write: Callable[[Path], None]) -> Path:
    """Write a file through a temporary neighbour and a rename: readers see the old file whole or the new one whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path


def save(fit: Fit, path: str | Path) -> Path:
    """Write a fit to one file (customarily ``fit.nc``); ``load`` reads it back."""
    groups = {name: _stored(fit.draws[name].to_dataset()) for name in GROUPS}
    head = {
        "claims": claims_as_dict(fit.claims),
        "campaign": fit.campaign.as_dict(),
        "priors": fit.priors.as_dict(),
        "curve": type(fit.curve).__name__,
        "reporting": dataclasses.asdict(fit.reporting),
        "settings": dataclasses.asdict(fit.settings),
        "seed": fit.seed,
        "gate": fit.gate,
        "versions": fit.versions,
        "created": fit.created,
        "extended": fit.extended,
    }
    text = json.dumps(head, sort_keys=True)
    digest = _digest(groups, text)

    def write(part: Path) -> None:
        import xarray as xr

        tree = xr.DataTree.from_dict(dict(groups))
        tree.attrs.update(attrition_format=FORMAT, attrition_fit=text, attrition_sha256=digest)
        floats = {n: {v: _packing(ds[v]) for v in ds.data_vars} for n, ds in groups.items()}
        tree.to_netcdf(part, engine="h5netcdf", encoding={f"/{name}": value for name, value in floats.items()})

    return write_whole(path, write)


def claims_as_dict(claims: Claims) -> dict[str, Any]:
    """Claims as JSON can hold them; ``claims_of`` reads them back."""
    return {
        "name": claims.name,
        "vintage": claims.vintage and claims.vintage.isoformat(),
        "sources": claims.sources,
        "briefings": claims.briefings,
        "months": claims.months,
        "table": claims.table.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n"),
    }


def claims_of(given: Mapping[str, Any]) -> Claims:
    """Claims that ``claims_as_dict`` wrote, every row checked again.

    Raises
    ------
    FileError
        If a row breaks a rule.
    """
    import io

    import pandas as pd

    frame = pd.read_csv(io.StringIO(given["table"]), dtype=str, keep_default_na=False)
    for column in NUMBERS:
        frame[column] = [float(cell) if cell else None for cell in frame[column]]
    try:
        whole = read_claims(frame.astype(object), name=given["name"]) if len(frame) else None
    except InputError as error:
        raise FileError(f"the saved claims cannot be read: {error}") from error
    return Claims(
        name=given["name"],
        vintage=dt.date.fromisoformat(given["vintage"]) if given["vintage"] else None,
        sources=tuple(tuple(entry) for entry in given["sources"]),
        briefings=int(given.get("briefings", 0)),
        months=int(given.get("months", 0)),
        _table=whole.table if whole is not None else frame,
    )


def load(path: str | Path) -> Fit:
    """Read a fit that ``save`` wrote.

    Raises
    ------
    FileError
        If the file is not one of ours, is damaged, or is of a later format than this version can read.
    """
    import xarray as xr

    path = Path(path)
    if not path.is_file():
        raise FileError(f"{path}: no such file. `attrition fit --out FOLDER` writes FOLDER/fit.nc.")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            head = _head(tree.attrs)
            groups = {name: tree[name].to_dataset().load() for name in GROUPS}
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, UnicodeDecodeError, AttributeError) as error:
        raise FileError(f"{path}: not a readable fit ({type(error).__name__}: {error})") from error
    text = str(tree.attrs["attrition_fit"])
    if _digest(groups, text) != tree.attrs.get("attrition_sha256"):
        raise FileError(f"{path}: the content does not match its checksum: the file is damaged or was edited")
    return _fit(head, {name: _restored(group) for name, group in groups.items()})


def _head(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    if "attrition_format" not in attrs:
        raise ValueError("it has no attrition_format: not written by attrition")
    number = int(attrs["attrition_format"])
    if number > FORMAT:
        raise ValueError(f"format {number} is newer than this version of attrition reads ({FORMAT}): upgrade")
    head: dict[str, Any] = json.loads(attrs["attrition_fit"])
    return head


def _stored(group: xr.Dataset) -> xr.Dataset:
    return group.drop_vars("cumulative_loss", errors="ignore")


def _restored(group: xr.Dataset) -> xr.Dataset:
    if "daily_rate" not in group:
        return group
    from .fitted import SCHEMA

    _, unit, meaning = SCHEMA["cumulative_loss"]
    rate = group["daily_rate"]
    total = rate.copy(data=np.cumsum(rate.values, axis=-1)).assign_attrs(units=unit, long_name=meaning)
    names = list(group.data_vars)
    names.insert(names.index("daily_rate") + 1, "cumulative_loss")
    return group.assign(cumulative_loss=total)[names]


def _packing(variable: xr.DataArray) -> dict[str, Any]:
    return {"zlib": True, "complevel": 1, "shuffle": True} if variable.dtype.kind in "fi" and variable.ndim else {}


def _digest(groups: dict[str, xr.Dataset], text: str) -> str:
    total = hashlib.sha256(text.encode())
    for name in sorted(groups):
        group = groups[name]
        for key in sorted(str(key) for key in group.variables):
            variable = group.variables[key]
            total.update(f"{name}/{key}{variable.dims}{variable.shape}".encode())
            values = variable.values
            if values.dtype.kind == "O":
                if not all(isinstance(value, str) for value in values.ravel()):
                    raise ValueError(f"{name}/{key} holds objects, not numbers or text")
                values = values.astype(str)
            if values.dtype.kind in "US":
                total.update("\0".join(values.ravel().tolist()).encode())
            elif values.dtype.kind == "M":
                total.update(values.astype("datetime64[s]").astype(np.int64).tobytes())
            else:
                total.update(np.ascontiguousarray(values).tobytes())
    return total.hexdigest()


def _fit(head: dict[str, Any], groups: dict[str, xr.Dataset]) -> Fit:
    import xarray as xr

    claims = claims_of(head["claims"])
    campaign = campaign_of(head["campaign"])
    reporting = Reporting(**head["reporting"])
    if head["curve"] not in CURVES:
        raise FileError(f"fitted with a curve of the user's own, {head['curve']}: it cannot be loaded")
    curve: Curve = CURVES[head["curve"]]()
    rows = tuple(Prior(**row) for row in head["priors"]["rows"])
    return Fit(
        draws=xr.DataTree.from_dict(dict(groups)),
        claims=claims,
        campaign=campaign,
        priors=Priors(head["priors"]["label"], rows),
        curve=curve,
        reporting=reporting,
        seen=observe(claims, campaign, reporting, None, curve.zero_until(campaign), exact=not head["extended"]),
        settings=Settings(**head["settings"]),
        seed=int(head["seed"]),
        gate=head["gate"],
        versions=head["versions"],
        created=head["created"],
        extended=head["extended"],
    )
