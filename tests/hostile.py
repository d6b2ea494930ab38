"""Files that no reader should trust: a seeded generator, in which a number is a file."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

from attrition.coding import COLUMNS, DATES, NUMBERS
from attrition.packages import package_folder

RECORD = (package_folder("dprk-kursk") / "claims.csv").read_bytes()
ROWS = list(csv.reader(io.StringIO(RECORD.decode(), newline="")))
SEED = 20250116
MILLION_EVERY = 997  # one file in so many has a million columns

ODD_NUMBERS = (
    "1e400", "-1e400", "NaN", "nan", "inf", "-Infinity", "-1", "-0", "-0.0", "0", "00", "0.0", "1_000", "0x1F", "1e-400",
    "9" * 500, "0." + "0" * 400 + "1", "0." + "3" * 60, "3,5", "1.000", "3k", "~300", "300+", "300-400", "XIV", "12%", "½",
    "３０００", "٣٠٠٠", "१२", "1" + "0" * 309, "#VALUE!", "=1+1", "TRUE", "None", "1/0", "\u22125", "1\u202f000",
    " 7 ", "\u200b7",
)  # fmt: skip
ODD_DATES = (
    "0000-00-00", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "-2025-01-01", "2025-02-30", "2025-13-01",
    "1900-02-29", "03/04/2025", "25-01-02", "45659", "2025-01-02T03:04:05Z", "2025-W01", "2025-001", "NaT", "２０２５-01-02",
    "2025-01", "0000-01", "9999-12", "2025-1-2", "2 Jan 2025", "2025–01–02", "1e9", "2025-01-02\n", "2100-12-31",
)  # fmt: skip
LOCALES: tuple[tuple[str, str, str, str], ...] = (  # thousands, decimal, date, separator of cells
    (",", ".", "{m}/{d}/{y}", ","),  # United States
    (".", ",", "{d}.{m}.{y}", ";"),  # Germany
    ("\u202f", ",", "{d}/{m}/{y}", ";"),  # France
    ("\u2019", ".", "{d}.{m}.{y}", ";"),  # Switzerland
    (",", ".", "{d}-{m}-{y}", ","),  # India, in lakhs
)
ODD_CHARACTERS = (
    "\0\x01\x08\x0b\x0c\x1b\x1c\x85\xa0\xad\u200b\u202e\u2028\ufeff\ufffe\uffff\U0001f480\"',;\t\r\n\\%=+-@"
)


def file_of(number: int, seed: int = SEED) -> tuple[str, bytes]:
    """The kind and the content of one hostile file; the same number and seed give the same file."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311
    if number % MILLION_EVERY == 1:
        return "million columns", _million(rng)
    kinds = list(KINDS)
    kind = kinds[number % len(kinds)]
    return kind, KINDS[kind](rng)


def _some_rows(rng: random.Random) -> list[list[str]]:
    """The header and a few rows of the record; now and then all of it."""
    if rng.random() < 0.02:
        return [list(row) for row in ROWS]
    start = rng.randrange(1, len(ROWS) - 1)
    return [list(row) for row in [ROWS[0], *ROWS[start : start + rng.randint(1, 12)]]]


def _csv(rows: list[list[str]], delimiter: str = ",", newline: str = "\n") -> bytes:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=newline).writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogatepass")


def _few(rng: random.Random) -> bytes:
    return _csv(_some_rows(rng))


def _random_bytes(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 2, 3, 10, 1000, 100_000)))


def _random_text(rng: random.Random) -> bytes:
    ranges = ((32, 126), (0, 31), (0x80, 0x2FF), (0x600, 0x6FF), (0x2000, 0x206F), (0xFF00, 0xFFEF), (0x1F300, 0x1F6FF))
    pieces = [chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.choice((1, 20, 3000)))]
    return "".join(rng.choice((piece, ",", "\n", '"')) for piece in pieces).encode()


def _truncated(rng: random.Random) -> bytes:
    return RECORD[: rng.randrange(3000)] if rng.random() < 0.9 else RECORD[: rng.randrange(len(RECORD))]


def _marks(rng: random.Random) -> bytes:
    mark = rng.choice(
        (b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, b"\xef\xbb", b"\xff\xfe", b"\xfe\xff", b"\x2b\x2f\x76\x38")
    )
    return mark + _few(rng)


def _encoded(rng: random.Random) -> bytes:
    text = _few(rng).decode() + rng.choice(("", "é", "\u20ac"))
    codes = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp1252", "cp037", "cp1250", "latin-1")
    return text.encode(rng.choice(codes), "replace")


def _nul(rng: random.Random) -> bytes:
    return _spliced(rng, _few(rng), b"\0" * rng.choice((1, 1, 500)))


def _spliced(rng: random.Random, raw: bytes, piece: bytes) -> bytes:
    place = rng.randint(0, len(raw))
    return raw[:place] + piece + raw[place:]


def _quotes(rng: random.Random) -> bytes:
    raw = _few(rng)
    for _ in range(rng.choice((1, 1, 3, 20))):
        raw = _spliced(rng, raw, rng.choice((b'"', b'"', b'""', b',"', b'",', b'"\n', b"'", b"\\")))
    return raw


def _columns(rng: random.Random) -> bytes:
    count = rng.choice((0, 1, 7, 9, 199, 201, 2000, 20_000))
    name = rng.choice(("", "value", "x_{}", "column_{}", "x_" + "long" * 50))
    header = ",".join(name.format(n) for n in range(count))
    if rng.random() < 0.5:
        header = ",".join((*COLUMNS, header))
    return f"{header}\n{',' * rng.choice((0, count, count + 1, 50_000))}\n".encode()


def _million(rng: random.Random) -> bytes:
    wide = rng.choice(("," * 999_999, ",".join(f"x_{n}" for n in range(10**6)), "value," * 10**6, ('"a\nb",' * 10**6)))
    return wide.encode() if rng.random() < 0.5 else RECORD + wide.encode()


def _set_cells(rng: random.Random, columns: tuple[str, ...], texts: tuple[str, ...]) -> bytes:
    rows = _some_rows(rng)
    for name in columns:
        if name not in rows[0]:
            rows = [[*row, name if row is rows[0] else ""] for row in rows]
    for _ in range(rng.choice((1, 1, 2, 10))):
        row = rng.choice(rows[1:])
        row[rows[0].index(rng.choice(columns))] = rng.choice(texts)
    return _csv(rows)


def _numbers(rng: random.Random) -> bytes:
    return _set_cells(rng, NUMBERS, ODD_NUMBERS)


def _dates(rng: random.Random) -> bytes:
    return _set_cells(rng, DATES, ODD_DATES)


def _wide_digits(rng: random.Random) -> bytes:
    wide = str.maketrans("0123456789", rng.choice(("０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")))
    rows = _some_rows(rng)
    chosen = set(rng.sample(range(len(rows[0])), rng.randint(1, 4)))
    return _csv([rows[0], *([t.translate(wide) if n in chosen else t for n, t in enumerate(r)] for r in rows[1:])])


def _locale(rng: random.Random) -> bytes:
    thousands, point, date, delimiter = rng.choice(LOCALES)
    rows = _some_rows(rng)
    for row in rows[1:]:
        for place, name in enumerate(rows[0]):
            if name in DATES and row[place].count("-") == 2 and rng.random() < 0.7:
                year, month, day = row[place].split("-")
                row[place] = date.format(y=year, m=month, d=day)
            if name in NUMBERS and row[place] and rng.random() < 0.7:
                whole, _, part = row[place].partition(".")
                row[place] = f"{int(whole):,}".replace(",", thousands) + (point + part if part else "")
    return _csv(rows, delimiter, rng.choice(("\n", "\r\n")))


def _bytes_changed(rng: random.Random) -> bytes:
    raw = bytearray(_few(rng))
    for _ in range(rng.choice((1, 2, 5, 50))):
        place = rng.randrange(len(raw))
        match rng.randrange(3):
            case 0:
                raw[place] ^= 1 << rng.randrange(8)
            case 1:
                del raw[place : place + rng.randint(1, 20)]
                raw = raw or bytearray(b"\n")
            case _:
                raw[place:place] = rng.randbytes(rng.randint(1, 4))
    return bytes(raw)


def _characters(rng: random.Random) -> bytes:
    rows = _some_rows(rng)
    for _ in range(rng.choice((1, 2, 10))):
        row = rng.choice(rows)
        place = rng.randrange(len(row))
        cut = rng.randint(0, len(row[place]))
        row[place] = row[place][:cut] + rng.choice(ODD_CHARACTERS) + row[place][cut:]
    return _csv(rows)


def _cells_exchanged(rng: random.Random) -> bytes:
    rows = _some_rows(rng)
    for _ in range(rng.choice((1, 3, 30))):
        one, two = rng.choice(rows), rng.choice(rows)
        here, there = rng.randrange(len(one)), rng.randrange(len(two))
        one[here], two[there] = two[there], one[here]
    return _csv(rows)


def _rows_changed(rng: random.Random) -> bytes:
    rows = _some_rows(rng)
    for _ in range(rng.choice((1, 3))):
        match rng.randrange(5):
            case 0:
                rows.append(list(rng.choice(rows)))
            case 1:
                rng.shuffle(rows)
            case 2:
                rng.choice(rows).append(rng.choice(("", "x", "1")))
            case 3:
                rng.choice(rows)[-1:] = []
            case _:
                rows.insert(rng.randint(0, len(rows)), rng.choice(([], ["sep=,"], ["# a remark"], [""] * len(rows[0]))))
    return _csv(rows, newline=rng.choice(("\n", "\r\n", "\r", "\n\r")))


def _separators(rng: random.Random) -> bytes:
    return _csv(_some_rows(rng), rng.choice((";", "\t", "|", " ", ":")), rng.choice(("\n", "\r\n", "\r")))


def _long(rng: random.Random) -> bytes:
    long = rng.choice(("a", "9", " ", "\n", "=", '"', "\u0301", "é")) * rng.choice((1000, 131_073, 400_000))
    return _set_cells(rng, rng.choice((COLUMNS, NUMBERS, DATES)), (long,))


def _blank(rng: random.Random) -> bytes:
    line = rng.choice(("\n", "\r\n", "\r", ",\n", " \n", "," * (len(ROWS[0]) - 1) + "\n", '""\n'))
    return _spliced(rng, _few(rng), (line * rng.choice((1, 10, 20_000))).encode())


def _header_changed(rng: random.Random) -> bytes:
    rows = _some_rows(rng)
    for _ in range(rng.choice((1, 2, 5))):
        place = rng.randrange(len(rows[0]))
        name = rows[0][place]
        odd = (
            name.upper(),
            f" {name} ",
            f"{name}\u200b",
            "",
            "x_",
            "x_;=1",
            name[:-1],
            rng.choice(COLUMNS),
            "ｖalue",
            "a" * 9999,
        )
        rows[0][place] = rng.choice(odd)
    return _csv(rows)


KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "random bytes": _random_bytes,
    "random text": _random_text,
    "truncated": _truncated,
    "byte order marks": _marks,
    "other encodings": _encoded,
    "NUL": _nul,
    "unbalanced quotes": _quotes,
    "many columns": _columns,
    "odd numbers": _numbers,
    "odd dates": _dates,
    "digits of other scripts": _wide_digits,
    "locales": _locale,
    "bytes changed": _bytes_changed,
    "characters put in": _characters,
    "cells exchanged": _cells_exchanged,
    "rows changed": _rows_changed,
    "other separators": _separators,
    "long cells": _long,
    "blank lines": _blank,
    "header changed": _header_changed,
}


def write(folder: Path, number: int) -> tuple[str, Path]:
    """Write one hostile file into a folder, over the one before; returns its kind and path."""
    kind, content = file_of(number)
    path = folder / "hostile.csv"
    path.write_bytes(content)
    return kind, path
