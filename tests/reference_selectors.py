"""The selectors once more, slow and literal: one loop a symbol, in float64.

Nothing here is shared with the package. What the package computes fast must equal this.
"""

import itertools
import math

from sklearn.utils import check_random_state


def distance(x, y):
    total = 0.0
    for x_d, y_d in zip(x, y, strict=True):
        difference = float(x_d) - float(y_d)
        total += difference * difference  # rounds as in IEEE 754, which ** need not
    return math.sqrt(total)


def top_k(scores, k, reverse=False):
    chosen = []
    for _ in range(k):
        best = None
        for i, score in enumerate(scores):
            if i in chosen:
                continue
            if best is None or (score < scores[best] if reverse else score > scores[best]):
                best = i
        chosen.append(best)
    return chosen


def median(values):
    ordered, middle = sorted(float(value) for value in values), len(values) // 2
    if len(values) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def farthest_first(Z, k, centers=None):
    """Sener and Savarese's Algorithm 1, every distance anew in every step."""
    chosen, distances = [], []
    for _ in range(k):
        best, largest = None, None
        for i in range(len(Z)):
            if i in chosen:
                continue
            gap = math.inf
            for center in [] if centers is None else centers:
                gap = min(gap, distance(Z[i], center))
            for j in chosen:
                gap = min(gap, distance(Z[i], Z[j]))
            if largest is None or gap > largest:
                best, largest = i, gap
        if largest == math.inf:  # nothing is covered yet: start in the middle
            middle = [median(column) for column in zip(*Z, strict=True)]
            best = min(range(len(Z)), key=lambda i: distance(Z[i], middle))
        chosen.append(best)
        distances.append(largest)
    return chosen, distances


def products(A, H):
    """The representations whose factors are the rows of A and H: every product of two entries."""
    return [[float(a) * float(h) for a in A[i] for h in H[i]] for i in range(len(A))]


def kmeans_pp(G, k, seed):
    """Arthur and Vassilvitskii's steps 1a to 1c; one uniform number a draw."""
    rng = check_random_state(seed)
    chosen = []
    for _ in range(k):
        weights = []
        for i in range(len(G)):
            if not chosen:
                weights.append(1.0)
            elif i in chosen:
                weights.append(0.0)
            else:
                weights.append(min(distance(G[i], G[c]) ** 2 for c in chosen))
        if sum(weights) == 0.0:
            weights = [0.0 if i in chosen else 1.0 for i in range(len(G))]
        threshold = rng.random_sample() * sum(weights)
        drawn, total = None, 0.0
        for i, weight in enumerate(weights):
            total += weight
            if weight > 0.0:
                drawn = i
            if total > threshold:
                break
        chosen.append(drawn)
    return chosen


def loss(Z, medoids):
    """What k-medoids minimises; the medoids are points."""
    return sum(min(distance(z, m) for m in medoids) for z in Z)


def best_swap(Z, medoids, point):
    """The loss with the point in the place of the medoid where it is lowest, and that place."""
    lowest, place = math.inf, None
    for j in range(len(medoids)):
        swapped = loss(Z, [point if m == j else medoids[m] for m in range(len(medoids))])
        if swapped < lowest - 1e-9:
            lowest, place = swapped, j
    return lowest, place


def fasterpam(Z, start, seed):
    """Schubert and Rousseeuw's eager swaps, each loss anew; distinct rows in a seeded order.

    Returns the medoids as points, and the number of swaps.
    """
    distinct = sorted({tuple(z) for z in Z})
    medoids = sorted({tuple(Z[i]) for i in start})
    for row in distinct:
        if len(medoids) < min(len(start), len(distinct)) and row not in medoids:
            medoids = sorted([*medoids, row])
    if len(medoids) == len(distinct):
        return medoids, 0
    order = check_random_state(seed).permutation(len(distinct))
    n_swaps, since = 0, 0
    while since < len(order):
        for i in order:
            since += 1
            if distinct[i] in medoids:
                continue
            swapped, place = best_swap(Z, medoids, distinct[i])
            if swapped < loss(Z, medoids) - 1e-9:
                medoids[place] = distinct[i]
                n_swaps, since = n_swaps + 1, 0
    return medoids, n_swaps


def clusters(Z, medoids):
    """For rows that are medoids: the row each row belongs to, and the sum of the distances."""
    owners, total = [], 0.0
    for i in range(len(Z)):
        nearest = min(sorted(medoids), key=lambda m: distance(Z[i], Z[m]))
        total += distance(Z[i], Z[nearest])
        owners.append(i if i in medoids else nearest)
    return owners, total


def entropy(probabilities):
    return -sum(p * math.log(p) for p in probabilities if p > 0.0)


def mutual_information(P, batch):
    """I(y_1, ..., y_b; w) of the samples in the batch, from every configuration of their labels.

    P[i][k][c] is the chance of class c of sample i under posterior sample k.
    """
    K, C = len(P[0]), len(P[0][0])
    joint = []
    for labels in itertools.product(range(C), repeat=len(batch)):
        total = 0.0
        for k in range(K):
            chance = 1.0
            for i, label in zip(batch, labels, strict=True):
                chance *= float(P[i][k][label]) / sum(float(p) for p in P[i][k])
            total += chance / K
        joint.append(total)
    given = 0.0
    for i in batch:
        for k in range(K):
            row = [float(p) for p in P[i][k]]
            given += entropy([p / sum(row) for p in row]) / K
    return entropy(joint) - given


def joint_information(labels, k):
    """Kirsch et al.'s Algorithm 1; `labels` holds P of each label, the information is their sum."""
    n = len(labels[0])
    chosen, information = [], []
    for _ in range(k):
        found = {}
        for i in range(n):
            if i not in chosen:
                found[i] = sum(mutual_information(P, [*chosen, i]) for P in labels)
        best = min(i for i in found if found[i] >= max(found.values()) - 1e-10)
        chosen.append(best)
        information.append(found[best])
    return chosen, information
