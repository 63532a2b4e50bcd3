"""Measures of learning curves again, slow and literal: loops over plain rows, no tables."""

import itertools
import math

import numpy as np


def rows_of(results):
    return [dict(zip(results.columns, row, strict=True)) for row in results.itertuples(index=False)]


def curve(rows, strategy, seed, column="score"):
    """Return {round: value} of what is known."""
    found = {}
    for row in rows:
        if row["strategy"] == strategy and row["seed"] == seed and not math.isnan(row[column]):
            found[row["round"]] = row[column]
    return found


def names(rows):
    return sorted({row["strategy"] for row in rows})


def keys(rows):
    return sorted({(row["strategy"], row["seed"]) for row in rows})


def rounds(rows):
    return sorted({row["round"] for row in rows})


def full_score(rows, seed):
    for row in rows:
        if row["seed"] == seed and not math.isnan(row["full_score"]):
            return row["full_score"]
    return math.nan


def normalized_auc(rows):
    found = {}
    for strategy, seed in keys(rows):
        scores, full = curve(rows, strategy, seed), full_score(rows, seed)
        value = math.nan
        if all(r in scores for r in rounds(rows)) and full > scores[0]:
            total = 0.0
            for r in rounds(rows):
                total += (scores[r] - scores[0]) / (full - scores[0])
            value = total / len(rounds(rows))
        found[strategy, seed] = value
    return found


def area_under_curve(rows):
    found = {}
    for strategy, seed in keys(rows):
        scores, sizes = curve(rows, strategy, seed), curve(rows, strategy, seed, "n_labeled")
        every = rounds(rows)
        if any(r not in scores for r in every):
            found[strategy, seed] = math.nan
        elif len(every) == 1:
            found[strategy, seed] = scores[every[0]]
        else:
            total = 0.0
            for left, right in itertools.pairwise(every):
                total += (sizes[right] - sizes[left]) * (scores[right] + scores[left]) / 2
            found[strategy, seed] = total / (sizes[every[-1]] - sizes[every[0]])
    return found


def labels_to_reach(rows, target):
    found = {}
    for strategy, seed in keys(rows):
        scores, sizes = curve(rows, strategy, seed), curve(rows, strategy, seed, "n_labeled")
        value, before = math.nan, None
        for r in rounds(rows):
            if r not in scores:
                break
            if scores[r] >= target:
                value = sizes[r]
                if before is not None:
                    slope = (scores[r] - scores[before]) / (sizes[r] - sizes[before])
                    value = sizes[before] + (target - scores[before]) / slope
                break
            before = r
        found[strategy, seed] = value
    return found


def share(experiments, a, b):
    points = wins = 0
    for rows in experiments:
        for seed in {row["seed"] for row in rows}:
            of_a, of_b = curve(rows, a, seed), curve(rows, b, seed)
            for r in of_a:
                if r > 0 and r in of_b:
                    points += 1
                    wins += of_a[r] > of_b[r]
    return wins / points if points else math.nan


def seed_differences(experiments, a, b):
    found = []
    for seed in sorted({row["seed"] for rows in experiments for row in rows}):
        of_seed = []
        for rows in experiments:
            of_a, of_b = curve(rows, a, seed), curve(rows, b, seed)
            points = [of_a[r] - of_b[r] for r in of_a if r > 0 and r in of_b]
            if points:
                of_seed.append(sum(points) / len(points))
        if of_seed:
            found.append(sum(of_seed) / len(of_seed))
    return found


def signed_rank_p(differences, decimals=10):
    """Return the share of all choices of signs that are as far from the middle as the one found."""
    sizes = [round(abs(d), decimals) for d in differences]
    kept = [(d, size) for d, size in zip(differences, sizes, strict=True) if size > 0]
    ranks = []
    for _, size in kept:
        lower = sum(other < size for _, other in kept)
        equal = sum(other == size for _, other in kept)
        ranks.append(lower + (equal + 1) / 2)
    middle = sum(ranks) / 2
    observed = abs(sum(r for r, (d, _) in zip(ranks, kept, strict=True) if d > 0) - middle)
    far = 0
    for signs in itertools.product([0, 1], repeat=len(kept)):
        far += abs(sum(r for r, s in zip(ranks, signs, strict=True) if s) - middle) >= observed
    return far / 2 ** len(kept)


def holm(p_values):
    known = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for place, (p, i) in enumerate(known):
        largest = max(largest, (len(known) - place) * p)
        corrected[i] = min(largest, 1.0)
    return corrected


def p_values(experiments):
    every = sorted(set().union(*(names(rows) for rows in experiments)))
    pairs = list(itertools.combinations(every, 2))
    found = []
    for a, b in pairs:
        differences = seed_differences(experiments, a, b)
        found.append(signed_rank_p(differences) if len(differences) > 1 else math.nan)
    return dict(zip(pairs, holm(found), strict=True))


def mean_interval(values, quantile):
    """Return mean, low, high; `quantile` is Student's, for this many values."""
    values = [v for v in values if not math.isnan(v)]
    if not values:
        return math.nan, math.nan, math.nan
    mean = sum(values) / len(values)
    if len(values) == 1:
        return mean, math.nan, math.nan
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    half = quantile(len(values)) * math.sqrt(variance / len(values))
    return mean, mean - half, mean + half


def random_results(make_frame, seed, n_strategies=4, n_seeds=4, n_rounds=5, unfinished=True):
    """Return a frame of coarse scores, so that there are ties, some curves cut short."""
    rng = np.random.default_rng(seed)
    rows = []
    start = rng.integers(4, 8, n_seeds) / 10
    full = np.where(rng.random(n_seeds) < 0.2, np.nan, rng.integers(5, 11, n_seeds) / 10)
    for i, s in itertools.product(range(n_strategies), range(n_seeds)):
        length = rng.integers(1, n_rounds + 1) if unfinished and rng.random() < 0.3 else n_rounds
        for r in range(length):
            score = start[s] if r == 0 else rng.integers(4, 11) / 10
            if r and unfinished and rng.random() < 0.05:
                score = np.nan
            size = 20 + 10 * r + r * r
            rows.append((f"strategy_{i}", s, r, size, score, full[s]))
    order = rng.permutation(len(rows))
    columns = ["strategy", "seed", "round", "n_labeled", "score", "full_score"]
    return make_frame([rows[k] for k in order], columns=columns)
