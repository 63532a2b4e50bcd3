"""Words of several pieces once more: slow and literal, one loop a symbol, in float64.

Nothing here is shared with the package. A word is a list of places in its text.
"""

from __future__ import annotations

import torch

from tests import reference_strategies as reference


def words_of(x, padding, no_words=(), begins_word=None):
    """The places of each word of a text: a run of pieces from one that begins a word."""
    words, in_a_word = [], False
    for j, piece in enumerate(int(piece) for piece in x):
        if piece == padding or piece in no_words:
            in_a_word = False
            continue
        begins = begins_word is None or piece >= len(begins_word) or begins_word[piece]
        if begins or not in_a_word:
            words.append([])
        words[-1].append(j)
        in_a_word = True
    return words


def key_of(x, places):
    """What tells a word from others: words of one piece come first, each kind in order."""
    return len(places) > 1, tuple(int(x[j]) for j in places)


def gradients_of_places(net, x, target, classes):
    """For each place of a text the gradients of all explained outputs, (T, A, D)."""
    of_place = [[] for _ in x]
    component, n_outputs = 0, None
    while n_outputs is None or component < n_outputs:
        read, forward = reference.with_leaves(net, x)
        y = forward(lambda: reference.outputs_explained(net, x, target, classes))
        n_outputs = len(y)
        (gradient,) = torch.autograd.grad(y[component], [read])
        for j in range(len(x)):
            of_place[j].append(gradient[j].tolist())
        component += 1
    return of_place


def alden_text(nets, x, counts, target, classes):
    """ALDEN equation 4: (word, one number for each member and explained output) a word."""
    text = [(key_of(x, places), []) for places in words_of(x, **counts)]
    for net in nets:
        rows = net.layer(torch.nn.Embedding).weight.tolist()
        gradients = gradients_of_places(net, x, target, classes)
        for (_, numbers), places in zip(text, words_of(x, **counts), strict=True):
            for a in range(len(gradients[0])):
                total = 0.0
                for j in places:
                    for d in range(len(rows[0])):
                        total += gradients[j][a][d] * rows[int(x[j])][d]
                numbers.append(total)
    return text


def stand_in_rows(nets, texts):
    """For each word of some texts the mean of its pieces' rows, members side by side."""
    rows_of = {}
    for word in {word for text in texts for word, _ in text}:
        rows_of[word] = []
        for net in nets:
            rows = net.layer(torch.nn.Embedding).weight.tolist()
            for d in range(len(rows[0])):
                rows_of[word].append(reference.mean([rows[piece][d] for piece in word[1]]))
    return rows_of


def gradients_of_words(net, x, counts, target, classes):
    """DAMI equation 3: for each word the sum over its pieces of the gradients of all outputs."""
    gradients = gradients_of_places(net, x, target, classes)
    vectors = []
    for places in words_of(x, **counts):
        vector = []
        for a in range(len(gradients[0])):
            for d in range(len(gradients[0][0])):
                total = 0.0
                for j in places:
                    total += gradients[j][a][d]
                vector.append(total)
        vectors.append(vector)
    return vectors


def dami(net, X, counts, target, classes):
    """DAMI equations 3 to 6; None for a text without words."""
    return reference.farthest_words(
        [gradients_of_words(net, x, counts, target, classes) for x in X]
    )


def word_gradient_length(net, x, counts):
    """Zhang's EGL-word: of each word the gradients of its pieces and its places add up."""

    def leaves_of():
        read, forward = reference.with_leaves(net, x)
        return [read], lambda: forward(lambda: net.probabilities(x))

    words = words_of(x, **counts)
    if not words:
        return 0.0
    losses = reference.gradients_of_losses(net, x, leaves_of)
    longest = 0.0
    for word in {key_of(x, places) for places in words}:
        lengths = []
        for outcomes in losses:
            expected = 0.0
            for p, (gradient,) in outcomes:
                added = torch.zeros_like(gradient[0])
                for places in words:
                    if key_of(x, places) == word:
                        for j in places:
                            added = added + gradient[j]
                expected += p * reference.norm_of([added])
            lengths.append(expected)
        longest = max(longest, reference.mean(lengths))
    return longest
