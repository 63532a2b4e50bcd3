"""The strategies once more, from the samples on: slow and literal, one loop a symbol, in float64.

Nothing here is shared with the package. A net is a `Literal`: its module in double precision, and
where in it the words and the features are.
"""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import numpy as np
import torch
from sklearn.utils import check_random_state

from tests import reference_selectors
from tests.reference import explained_outputs, softmax


class Literal(NamedTuple):
    module: torch.nn.Module
    several: bool

    @classmethod
    def of(cls, net, several=False):
        return cls(copy.deepcopy(net.module_).double().eval(), several)

    def layer(self, kind, last=False):
        found = [m for m in self.module.modules() if isinstance(m, kind)]
        return found[-1] if last else found[0]

    def logits(self, x):
        """The logits of one sample, as a list of scalars."""
        x = torch.as_tensor(x)
        x = x.double() if x.is_floating_point() else x
        return list(self.module(x[None])[0])

    def probabilities(self, x):
        z = self.logits(x)
        return [1 / (1 + torch.exp(-z_c)) for z_c in z] if self.several else softmax(z)

    def features(self, x):
        """What the last linear layer reads."""
        seen = []
        handle = self.layer(torch.nn.Linear, last=True).register_forward_pre_hook(
            lambda _, args: seen.append(args[0])
        )
        self.logits(x)
        handle.remove()
        return [float(h) for h in seen[-1].detach().reshape(-1)]


def numbers(values):
    return [float(value.detach() if torch.is_tensor(value) else value) for value in values]


def mean(values):
    return sum(values) / len(values)


def labels_of(net, p):
    """One distribution for a sample of one class; for several labels one each, over no and yes."""
    return [[1 - p_l, p_l] for p_l in p] if net.several else [list(p)]


# Uncertainty.


def least_confidence(q):
    return 1 - max(q)


def margin(q):
    first, second = sorted(q, reverse=True)[:2]
    return 1 - (first - second)


def entropy(q):
    total = 0.0
    for q_c in q:
        if q_c > 0:
            total -= q_c * math.log(q_c)
    return total


def uncertainty(measure, net, x, passes=None):
    """The measure of one sample; of several labels the mean."""
    p = numbers(net.probabilities(x))
    if passes is not None:
        drawn = dropout_probabilities(net, x, *passes)
        p = [mean([drawn[k][c] for k in range(len(drawn))]) for c in range(len(p))]
    return mean([measure(q) for q in labels_of(net, p)])


def dropout_probabilities(net, x, seed, n_passes):
    """Each pass with one mask a layer and call, which all samples share."""
    layers = [m for m in net.module.modules() if isinstance(m, torch.nn.Dropout) and m.p > 0]
    passes = []
    for k in range(n_passes):
        handles = []
        for number, layer in enumerate(layers):

            def drop(layer, args, output, number=number, k=k):
                dropped = args[0].clone()
                for place in np.ndindex(*args[0].shape[:-1]):
                    rng = np.random.RandomState([seed, number, 0, k, *place])
                    for h, u in enumerate(rng.random_sample(args[0].shape[-1])):
                        dropped[(*place, h)] *= 0.0 if u < layer.p else 1 / (1 - layer.p)
                return dropped

            handles.append(layer.register_forward_hook(drop))
        passes.append(numbers(net.probabilities(x)))
        for handle in handles:
            handle.remove()
    return passes


def disagreement(net, passes):
    """Houlsby's equation 2 for one sample; several labels add up."""
    total = 0.0
    for label in range(len(labels_of(net, passes[0]))):
        q = [labels_of(net, p)[label] for p in passes]
        of_mean = entropy([mean([q_k[c] for q_k in q]) for c in range(len(q[0]))])
        total += of_mean - mean([entropy(q_k) for q_k in q])
    return total


# Expected gradient length.


def gradients_of_losses(net, x, leaves_of):
    """For each label in turn: its probability and the gradients of its loss by the leaves.

    A list for each label of a sample; of one class that is one list.
    """
    n_labels = len(labels_of(net, net.probabilities(x)))
    found = []
    for label in range(n_labels):
        outcomes = []
        for c in range(len(labels_of(net, net.probabilities(x))[label])):
            leaves, forward = leaves_of()
            q = labels_of(net, forward())[label]
            loss = -torch.log(q[c])
            gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
            outcomes.append((float(q[c].detach()), gradients))
        found.append(outcomes)
    return found


def norm_of(gradients):
    total = 0.0
    for gradient in gradients:
        if gradient is not None:
            for value in gradient.reshape(-1).tolist():
                total += value * value
    return math.sqrt(total)


def gradient_length(net, x):
    """The expected norm over all parameters that are trained; of several labels the mean."""

    def leaves_of():
        trained = [p for p in net.module.parameters() if p.requires_grad]
        return trained, lambda: net.probabilities(x)

    lengths = []
    for outcomes in gradients_of_losses(net, x, leaves_of):
        lengths.append(sum(p * norm_of(gradients) for p, gradients in outcomes))
    return mean(lengths)


def with_leaves(net, x):
    """The embeddings that the words of a sample read, and the probabilities as they follow."""
    layer = net.layer(torch.nn.Embedding)
    read = layer.weight.detach()[torch.as_tensor(x)].clone().requires_grad_()

    def forward(outputs):
        original = layer.forward
        # The words that the module trims away are behind the last one.
        layer.forward = lambda words: read[None, : words.shape[1]]
        try:
            return outputs()
        finally:
            layer.forward = original

    return read, forward


def word_gradient_length(net, x):
    """Zhang's EGL-word: the longest expected gradient of one word, its places added up."""
    padding = net.layer(torch.nn.Embedding).padding_idx or 0
    words = sorted({int(w) for w in x if w != padding})

    def leaves_of():
        read, forward = with_leaves(net, x)
        return [read], lambda: forward(lambda: net.probabilities(x))

    if not words:
        return 0.0
    losses = gradients_of_losses(net, x, leaves_of)
    longest = 0.0
    for word in words:
        lengths = []
        for outcomes in losses:
            expected = 0.0
            for p, (gradient,) in outcomes:
                added = torch.zeros_like(gradient[0])
                for j, w in enumerate(x):
                    if w == word:
                        added = added + gradient[j]
                expected += p * norm_of([added])
            lengths.append(expected)
        longest = max(longest, mean(lengths))
    return longest


# DAMI.


def outputs_explained(net, x, target, classes):
    z = net.logits(x)
    if not net.several:
        return explained_outputs(z, target, classes)
    p = [1 / (1 + torch.exp(-z_c)) for z_c in z]
    y = p if target == "proba" else z
    return [y[max(range(len(p)), key=lambda c: p[c])]] if classes == "predicted" else y


def interpretations_of_words(net, x, target, classes):
    """DAMI equation 3: for each word the gradients of all explained outputs, one after another."""
    padding = net.layer(torch.nn.Embedding).padding_idx or 0
    vectors = [[] for _ in x]
    component, n_outputs = 0, None
    while n_outputs is None or component < n_outputs:
        read, forward = with_leaves(net, x)
        y = forward(lambda: outputs_explained(net, x, target, classes))
        n_outputs = len(y)
        gradient = torch.zeros_like(read)
        if y[component].requires_grad and any(w != padding for w in x):
            (found,) = torch.autograd.grad(y[component], [read], allow_unused=True)
            gradient = gradient if found is None else found
        for j in range(len(x)):
            vectors[j] += gradient[j].tolist()
        component += 1
    return [vectors[j] for j, w in enumerate(x) if w != padding]


def dami_of_texts(net, X, target, classes):
    """DAMI equations 3 to 6; None for a text without words."""
    return farthest_words([interpretations_of_words(net, x, target, classes) for x in X])


def farthest_words(explained):
    """DAMI equations 4 to 6, of the vectors of each text's words; None for a text without words."""
    with_words = [words for words in explained if words]
    if not with_words:
        return [None for _ in explained]
    width = len(with_words[0][0])
    average = [0.0] * width
    for words in with_words:
        for d in range(width):
            average[d] += mean([vector[d] for vector in words]) / len(with_words)
    representations = []
    for words in explained:
        best, largest = None, -1.0
        for vector in words:
            squared = 0.0
            for d in range(width):
                squared += (vector[d] - average[d]) ** 2
            if squared > largest + 1e-15:
                best, largest = vector, squared
        representations.append(best)
    return representations


def dami_of_a_table(net, X, target, classes):
    """DAMI equation 1."""
    representations = []
    for x in X:
        vector, component, n_outputs = [], 0, None
        while n_outputs is None or component < n_outputs:
            leaf = torch.tensor(x, dtype=torch.float64).requires_grad_()
            y = outputs_explained(net, leaf, target, classes)
            n_outputs = len(y)
            vector += torch.autograd.grad(y[component], [leaf])[0].tolist()
            component += 1
        representations.append(vector)
    return representations


def side_by_side(members):
    """The representations of all members, one behind the other; None where one has none."""
    joined = []
    for parts in zip(*members, strict=True):
        missing = any(part is None for part in parts)
        joined.append(None if missing else [value for part in parts for value in part])
    return joined


def medoids(representations, k, seed):
    """K-medoids of what is represented, large clusters first; then what is not."""
    rows = [i for i, r in enumerate(representations) if r is not None]
    others = [i for i, r in enumerate(representations) if r is None]
    Z = [tuple(representations[i]) for i in rows]
    n = min(k, len(rows))
    chosen, sizes = [], []
    if n:
        rng = check_random_state(seed)
        start = reference_selectors.kmeans_pp(Z, n, rng)
        points, _ = reference_selectors.fasterpam(Z, start, rng)
        found = [Z.index(point) for point in points]
        for i in range(len(Z)):
            if len(found) < n and i not in found:
                found.append(i)
        owners, _ = reference_selectors.clusters(Z, found)
        found = sorted(found, key=lambda m: (-owners.count(m), m))
        chosen, sizes = [rows[m] for m in found], [owners.count(m) for m in found]
    return chosen + others[: k - n], sizes + [1] * (k - n)


# BADGE and CORESET.


def gradient_embedding(net, x):
    """(p - y) (x) h, every product, for the labels that are most probable."""
    p = numbers(net.probabilities(x))
    if net.several:
        y = [1.0 if p_l > 0.5 else 0.0 for p_l in p]
    else:
        predicted = p.index(max(p))
        y = [1.0 if c == predicted else 0.0 for c in range(len(p))]
    h = net.features(x)
    return [(p[c] - y[c]) * h_d for c in range(len(p)) for h_d in h]


# ALDEN.


def alden_words(nets, X, target, classes):
    """ALDEN equation 4 for each text: (word, one number for each member and explained output)."""
    texts = []
    for x in X:
        words = [int(w) for w in x if w != 0]
        text = [(word, []) for word in words]
        for net in nets:
            rows = net.layer(torch.nn.Embedding).weight.tolist()
            vectors = interpretations_of_words(net, x, target, classes)
            for (word, numbers_of_word), vector in zip(text, vectors, strict=True):
                width = len(rows[word])
                for a in range(len(vector) // width):
                    total = 0.0
                    for d in range(width):
                        total += vector[a * width + d] * rows[word][d]
                    numbers_of_word.append(total)
        texts.append(text)
    return texts


def embeddings_side_by_side(nets):
    members = [net.layer(torch.nn.Embedding).weight.tolist() for net in nets]
    return [[e for row in rows for e in row] for rows in zip(*members, strict=True)]
