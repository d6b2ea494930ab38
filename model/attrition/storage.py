"""Keep a fit in one file: netCDF-4, written whole or not at all, refused if damaged or not ours. No pickles.

Layout: one group for each group of the draws; the claims, campaign, priors and settings as JSON text in the attributes; a
SHA-256 over all that is in them. Behind the netCDF stands a second SHA-256, over every byte before it, so that a damaged
file is refused before the library that would have to make sense of it opens it. (Format 1 had no such ending.) The netCDF
is made in memory: on a disk that is full, HDF5 may end the whole process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import secrets
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

FORMAT = 3
ENDING = b"\nattrition sha256 "
_ENDING_SIZE = len(ENDING) + 64
DAMAGED = "the content does not match its checksum: the file is damaged or was edited"
# What the libraries and our own constructors say of a file that does not hold what it should.
UNREADABLE = (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, ArithmeticError, MemoryError)
TOLD = ("observed_data", "constant_data")
GROUPS = ("posterior", "free", "sample_stats", *TOLD)


def write_whole(path: str | Path, write: Callable[[Path], None]) -> Path:
    """Write a file through a temporary neighbour and a rename: readers see the old file whole or the new one whole.

    Parameters
    ----------
    path
        The file; the folders that it is in are made.
    write
        Writes the content to the path that it is given.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        If it cannot be written (a full disk, no permission, a folder of that name): what was there is as it was. Mend
        that, or choose another place, and write again.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it")
    part = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        write(part)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        _remove(part)
        raise OSError(f"{path} could not be written, and is as it was before: {error}") from error
    except BaseException:
        _remove(part)
        raise
    return path


def _remove(part: Path) -> None:
    with contextlib.suppress(OSError):
        part.unlink()


def _sync_folder(folder: Path) -> None:
    """Have a rename outlast a power cut, where the system can do that; the file is in its place all the same."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def save(fit: Fit, path: str | Path) -> Path:
    """Write a fit to one file (customarily ``fit.nc``); ``load`` reads it back.

    Raises
    ------
    OSError
        If it cannot be written, as ``write_whole`` says.
    """
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
        content = tree.to_netcdf(engine="h5netcdf", encoding={f"/{name}": value for name, value in floats.items()})
        with part.open("wb") as stream:
            stream.write(content)
            stream.write(ENDING + hashlib.sha256(content).hexdigest().encode())

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
    if path.is_dir():
        raise FileError(f"{path} is a folder: name the file in it, such as {path / 'fit.nc'}")
    if not path.is_file():
        raise FileError(f"{path}: no such file. `attrition fit --out FOLDER` writes FOLDER/fit.nc.")
    try:
        ended = _check_ending(path)
        with xr.open_datatree(path, engine="h5netcdf", phony_dims="access") as tree:
            head = _head(tree.attrs, ended)
            text = str(tree.attrs["attrition_fit"])
            groups = {name: tree[name].to_dataset() for name in GROUPS}
            _check_kinds(groups)
            groups = {name: group.load() for name, group in groups.items()}
        if _digest(groups, text) != tree.attrs.get("attrition_sha256"):
            raise FileError(DAMAGED)
        return _fit(head, {name: _restored(group) for name, group in _renamed(groups).items()})
    except FileError as error:
        raise FileError(f"{path}: {error}") from error
    except UNREADABLE as error:
        raise FileError(f"{path}: not a readable fit ({type(error).__name__}: {error})") from error


def _check_ending(path: Path) -> bool:
    """Whether the file ends with its checksum; refuses it if that is not the checksum of what stands before."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END) - _ENDING_SIZE
        if size < 0:
            return False
        stream.seek(size)
        ending = stream.read()
        if not ending.startswith(ENDING):
            return False
        stream.seek(0)
        found = hashlib.sha256()
        while size > 0:
            block = stream.read(min(size, 2**20))
            if not block:
                break
            found.update(block)
            size -= len(block)
    if ending != ENDING + found.hexdigest().encode():
        raise FileError(DAMAGED)
    return True


def _head(attrs: Mapping[Any, Any], ended: bool) -> dict[str, Any]:
    if "attrition_format" not in attrs:
        raise ValueError("it has no attrition_format: not written by attrition")
    number = int(attrs["attrition_format"])
    if number > FORMAT:
        raise ValueError(f"format {number} is newer than this version of attrition reads ({FORMAT}): upgrade")
    if number > 1 and not ended:
        raise FileError("the checksum at its end is missing: the file was cut short or edited")
    head: dict[str, Any] = json.loads(attrs["attrition_fit"])
    return head


def _renamed(groups: dict[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Groups as they are named since format 3; before, the level of a phase was kept as what the sampler saw of it."""
    if "phase_rate_shifted" not in groups["free"]:
        return groups
    shifted, log_rate = groups["free"]["phase_rate_shifted"], np.log(groups["posterior"]["phase_rate"].values)
    center, spread = np.moveaxis(groups["constant_data"]["phase_log_rate"].values[: log_rate.shape[-1]], -1, 0)
    unit = shifted.values.copy()  # of an empty slot the shift was 0
    unit[..., : log_rate.shape[-1]] = (log_rate - center) / spread
    dims = [str(dim).replace("shifted", "unit") for dim in shifted.dims]
    free = groups["free"].drop_vars("phase_rate_shifted").assign(phase_rate_unit=(dims, unit))
    constant = groups["constant_data"].drop_vars(["phase_window", "phase_middle"])
    return {**groups, "free": free, "constant_data": constant}


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


def _check_kinds(groups: Mapping[str, xr.Dataset]) -> None:
    """Refuse draws that are not numbers, before they are read; only labels and what the claims say may be text or days."""
    for name, group in groups.items():
        for key, variable in group.variables.items():
            kinds = "fiubMOUS" if key in group.coords or name in TOLD else "fiub"
            if variable.dtype.kind not in kinds:
                raise ValueError(f"{name}/{key} holds {variable.dtype}, not numbers")


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
        settings=Settings(**{name: value for name, value in head["settings"].items() if value is not None}),
        seed=int(head["seed"]),
        gate=head["gate"],
        versions=head["versions"],
        created=head["created"],
        extended=head["extended"],
    )
