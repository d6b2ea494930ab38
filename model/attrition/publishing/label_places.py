"""Where to put labels next to marks: near, without overlaps, with leader lines that do not cross. Deterministic."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

STEP = (6.0, 4.5)
GAP = 5.0
CANDIDATES = 450
OVERLAP, ON_MARK, ON_LINE = 2000.0, 250.0, 60.0
CROSSING, THROUGH_LABEL, OVER_MARK, OVER_LINE = 110.0, 160.0, 9.0, 35.0
FAR = 90.0
SAMPLES = np.linspace(0.06, 0.9, 9)
ROUNDS, REMOVED, MANY = 70, 0.35, 60


@dataclass(frozen=True)
class Label:
    """A text with the points that it names; all lengths in points (1/72 inch)."""

    text: str
    anchors: tuple[tuple[float, float], ...]
    size: tuple[float, float]


@dataclass(frozen=True)
class Surroundings:
    """What labels must avoid: the area to stay in (x0, y0, x1, y1), boxes of marks, boxes of a line; (n, 4) each."""

    area: tuple[float, float, float, float]
    marks: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))
    lines: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))


@dataclass(frozen=True)
class Place:
    """Lower left corner of a label, and its leader lines (x0, y0, x1, y1) from the text to each point named."""

    corner: tuple[float, float]
    leaders: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Candidates:
    """Places that one label might take: boxes (n, 4), leaders (n, anchor, 4), points on them, and what each costs."""

    boxes: np.ndarray
    leaders: np.ndarray
    points: np.ndarray
    cost: np.ndarray


@functools.cache
def text_size(text: str, size: float) -> tuple[float, float]:
    """Width and height of a line of text, in points."""
    font = FontProperties(family=["DejaVu Sans"], size=size)
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width), 1.25 * size


def place(labels: Sequence[Label], around: Surroundings) -> list[Place]:
    """Place every label; where there is no free room, the least bad place is taken, so that none is lost.

    Notes
    -----
    The cost of a label is its distance from what it names, plus penalties for overlaps and for leader lines that cross
    or run over marks. Labels are placed one by one at the cheapest point of a grid; then, in rounds, some are lifted and
    placed again in another order, which is kept if the sum has fallen. The random order has a fixed seed: equal input
    gives equal output.
    """
    if not labels:
        return []
    options = [_candidates(label, around) for label in labels]
    x = np.array([label.anchors[0][0] for label in labels])
    y = np.array([label.anchors[0][1] for label in labels])
    near = (np.abs(x[:, None] - x) < 40) & (np.abs(y[:, None] - y) < 20)
    starts = [np.argsort(-near.sum(axis=1), kind="stable"), np.argsort(x, kind="stable"), np.argsort(-y, kind="stable")]
    starts += [starts[1][::-1], starts[2][::-1]]
    tries = [_fill(options, {}, order.tolist()) for order in (starts if len(labels) < MANY else starts[:1])]
    chosen = min(tries, key=lambda one: _energy(options, one, range(len(labels))))
    rng = np.random.default_rng(0)
    for _ in range(ROUNDS if 1 < len(labels) < MANY else 0):
        lifted = _lifted(rng, x, y).tolist()
        again = _fill(options, {n: choice for n, choice in chosen.items() if n not in lifted}, lifted)
        if _energy(options, again, lifted) < _energy(options, chosen, lifted) - 1e-9:
            chosen = again
    return [
        Place(
            (float(one.boxes[chosen[n], 0]), float(one.boxes[chosen[n], 1])),
            tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in one.leaders[chosen[n]]),
        )
        for n, one in enumerate(options)
    ]


def _lifted(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Labels to lift: neighbours of one of them, in random order."""
    centre = int(rng.integers(len(x)))
    how_many = max(2, round(REMOVED * len(x) * rng.uniform(0.4, 1.2)))
    neighbours = np.argsort(np.hypot(x - x[centre], y - y[centre]), kind="stable")[:how_many]
    return np.asarray(rng.permutation(neighbours))


def _fill(options: list[Candidates], kept: dict[int, int], order: Sequence[int]) -> dict[int, int]:
    """Place the labels in this order, each at its cheapest place given those already there."""
    chosen = dict(kept)
    for n in order:
        cost = options[n].cost + _mutual(options[n], [(options[m], choice) for m, choice in chosen.items()])
        chosen[n] = int(np.argmin(cost))
    return chosen


def _energy(options: list[Candidates], chosen: dict[int, int], changed: Sequence[int]) -> float:
    """Part of the sum of costs that some labels have a share in; what two of them cost each other counts once."""
    total = 0.0
    for n in changed:
        one, pick = options[n], slice(chosen[n], chosen[n] + 1)
        single = Candidates(one.boxes[pick], one.leaders[pick], one.points[pick], one.cost[pick])
        among = [(options[m], choice) for m, choice in chosen.items() if m != n and m in changed]
        rest = [(options[m], choice) for m, choice in chosen.items() if m not in changed]
        total += float(single.cost[0] + 0.5 * _mutual(single, among)[0] + _mutual(single, rest)[0])
    return total


def _candidates(label: Label, around: Surroundings) -> Candidates:
    x0, y0, x1, y1 = around.area
    width, height = label.size
    right, top = max(x1 - width, x0), max(y1 - height, y0)
    own_x = [x for ax, _ in label.anchors for x in (ax + GAP, ax - GAP - width)]
    own_y = [ay - height / 2 for _, ay in label.anchors]
    xs = np.unique(np.clip(np.append(np.arange(x0, right + 0.01, STEP[0]), own_x), x0, right))
    ys = np.unique(np.clip(np.append(np.arange(y0, top + 0.01, STEP[1]), own_y), y0, top))
    corner = np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1).reshape(-1, 2)
    boxes = np.concatenate([corner, corner + np.array([width, height])], axis=1)
    cost = _distance(boxes, label.anchors)
    kept = np.argsort(cost, kind="stable")[: 4 * CANDIDATES]
    boxes, cost = boxes[kept], cost[kept]
    cost = cost + ON_MARK * _overlaps(boxes, around.marks, 0.5) + ON_LINE * _overlaps(boxes, around.lines, 1.0)
    kept = np.argsort(cost, kind="stable")[:CANDIDATES]
    boxes, cost = boxes[kept], cost[kept]
    leaders = np.stack([_leaders(boxes, anchor) for anchor in label.anchors], axis=1)
    ends = leaders.reshape(len(boxes), -1, 2, 2)
    points = ends[:, :, None, 0] + SAMPLES[:, None] * (ends[:, :, None, 1] - ends[:, :, None, 0])
    points = points.reshape(len(boxes), -1, 2)
    for mark in around.marks:
        cost = cost + OVER_MARK * _inside(points, mark).sum(axis=1)
    over = (
        np.stack([_inside(points, box).any(axis=1) for box in around.lines]) if len(around.lines) else np.zeros((1, 1))
    )
    cost = cost + OVER_LINE * over.any(axis=0)
    return Candidates(boxes, leaders, points, cost)


def _leaders(boxes: np.ndarray, anchor: tuple[float, float]) -> np.ndarray:
    """Lines from the nearest point of each box, a little way off the text, to an anchor: (n, 4)."""
    x = np.clip(anchor[0], boxes[:, 0] - 1, boxes[:, 2] + 1)
    beside = (anchor[0] <= boxes[:, 0] - 1) | (anchor[0] >= boxes[:, 2] + 1)
    y = np.where(beside, (boxes[:, 1] + boxes[:, 3]) / 2, np.clip(anchor[1], boxes[:, 1], boxes[:, 3]))
    return np.stack([x, y, np.full(len(x), anchor[0]), np.full(len(x), anchor[1])], axis=1)


def _mutual(one: Candidates, others: Sequence[tuple[Candidates, int]]) -> np.ndarray:
    """What each candidate costs because of labels already placed."""
    cost = np.zeros(len(one.boxes))
    if not others:
        return cost
    boxes = np.stack([other.boxes[choice] for other, choice in others])
    cost += OVERLAP * _overlaps(one.boxes, boxes, 0.8)
    points = np.concatenate([other.points[choice] for other, choice in others])
    through = _inside(one.points[:, :, None], boxes[None, None]).sum(axis=(1, 2))
    through = through + _inside(points[None], one.boxes[:, None]).sum(axis=1)
    cost += THROUGH_LABEL / 3 * through
    lines = np.concatenate([other.leaders[choice] for other, choice in others])
    return np.asarray(cost + CROSSING * _crosses(one.leaders[:, :, None], lines[None, None]).sum(axis=(1, 2)))


def _overlaps(boxes: np.ndarray, others: np.ndarray, gap: float) -> np.ndarray:
    if not len(others):
        return np.zeros(len(boxes))
    apart = (boxes[:, None, 0] >= others[None, :, 2] + gap) | (boxes[:, None, 2] <= others[None, :, 0] - gap)
    apart |= (boxes[:, None, 1] >= others[None, :, 3] + gap) | (boxes[:, None, 3] <= others[None, :, 1] - gap)
    return np.asarray((~apart).sum(axis=1), dtype=float)


def _distance(boxes: np.ndarray, anchors: Sequence[tuple[float, float]]) -> np.ndarray:
    """Mean distance from the points named; long leaders cost more than in proportion."""
    total = np.zeros(len(boxes))
    for x, y in anchors:
        aside = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0)
        above = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 3]), 0)
        away = np.hypot(aside, 1.2 * above)
        total += away + away**2 / FAR
    return total / max(len(anchors), 1)


def _inside(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    x, y = points[..., 0], points[..., 1]
    return np.asarray((x > box[..., 0]) & (x < box[..., 2]) & (y > box[..., 1]) & (y < box[..., 3]))


def _crosses(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Whether segments (..., 4) cross."""

    def side(line: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.asarray(
            (line[..., 2] - line[..., 0]) * (y - line[..., 1]) - (line[..., 3] - line[..., 1]) * (x - line[..., 0])
        )

    first = side(one, two[..., 0], two[..., 1]) * side(one, two[..., 2], two[..., 3])
    second = side(two, one[..., 0], one[..., 1]) * side(two, one[..., 2], one[..., 3])
    return np.asarray((first < 0) & (second < 0))
