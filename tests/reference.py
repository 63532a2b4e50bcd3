"""Each quantity once more, slow and literal: one loop a symbol of the equation, in float64.

Nothing here is shared with the package. What the package computes fast must equal this.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch


def softmax(z):
    highest = max(z)
    exponentials = [torch.exp(z_c - highest) for z_c in z]
    return [e / sum(exponentials) for e in exponentials]


def explained_outputs(z, target, classes):
    """The outputs that an interpretation explains, from the logits of one sample."""
    p = softmax(z)
    mean = sum(z) / len(z)
    y = p if target == "proba" else [z_c - mean for z_c in z]
    if classes == "predicted":
        predicted = max(range(len(p)), key=lambda c: p[c])
        return [y[predicted]]
    if len(y) == 2:
        return [y[1]] if target == "proba" else [z[1] - z[0]]
    return y


def embedding_gradients(module, ids, *, logits, embedding, target="proba", classes="all"):
    """One sample, one output, one backward pass at a time.

    ``logits(module, ids)`` gives the logits of a batch of one, ``embedding(module)`` the layer.
    Returns the words as the layer read them, their embeddings (T, D) and gradients (A, T, D).
    """
    gradients, read = [], {}
    n_outputs = None
    component = 0
    while n_outputs is None or component < n_outputs:
        twin = copy.deepcopy(module).double().eval()
        layer = embedding(twin)
        weight = layer.weight.detach().clone()

        def look_up(words, weight=weight):
            read["words"] = words
            read["leaf"] = weight[words].clone().requires_grad_()
            return read["leaf"]

        layer.forward = look_up
        outputs = explained_outputs(list(logits(twin, ids)[0]), target, classes)
        n_outputs = len(outputs)
        outputs[component].backward()
        gradient = torch.zeros_like(weight[:0])  # a text without words has no gradient
        if read["leaf"].numel():
            gradient = read["leaf"].grad.reshape(-1, weight.shape[1])
        gradients.append(gradient.numpy())
        component += 1
    words = read["words"].reshape(-1).tolist()
    return (
        words,
        read["leaf"].detach().reshape(len(words), weight.shape[1]).numpy(),
        np.array(gradients),
    )


def word_interpretations(module, ids, *, padding=0, **options):
    """ALDEN equation 4: a list of (word, [one number an output]) for each text."""
    texts = []
    for row in ids:
        words, e, gradients = embedding_gradients(module, row[None, :], **options)
        text = []
        for j, word in enumerate(words):
            if word != padding:
                interpretation = []
                for gradient in gradients:
                    total = 0.0
                    for d in range(e.shape[1]):
                        total += gradient[j, d] * e[j, d]
                    interpretation.append(total)
                text.append((word, interpretation))
        texts.append(text)
    return texts


def feature_interpretations(module, X, *, target="proba", classes="all"):
    """DAMI equation 1, for a module that gives logits: (n, A, d)."""
    samples = []
    for x in X:
        gradients, component, n_outputs = [], 0, None
        while n_outputs is None or component < n_outputs:
            twin = copy.deepcopy(module).double().eval()
            leaf = torch.tensor(x, dtype=torch.float64)[None, :].requires_grad_()
            outputs = explained_outputs(list(twin(leaf)[0]), target, classes)
            n_outputs = len(outputs)
            outputs[component].backward()
            gradients.append(leaf.grad[0].numpy())
            component += 1
        samples.append(gradients)
    return np.array(samples)


def norm(a, b):
    total = 0.0
    for a_c, b_c in zip(a, b, strict=True):
        total += (a_c - b_c) ** 2
    return math.sqrt(total)


def neighbour(labeled, word, embeddings):
    """ALDEN equation 7; the word itself where it is labelled, of equally near words the lowest."""
    words = sorted({w for text in labeled for w, _ in text})
    if word in words:
        return word
    nearest, smallest = None, math.inf
    for candidate in words:
        distance = 0.0
        for a, b in zip(embeddings[word], embeddings[candidate], strict=True):
            distance += (float(a) - float(b)) ** 2
        if distance < smallest:
            nearest, smallest = candidate, distance
    return nearest


def word_diversity(labeled, word, interpretation, embeddings):
    """ALDEN equation 8; infinite where no labelled text has a word."""
    stand_in = neighbour(labeled, word, embeddings)
    diversity = math.inf
    for text in labeled:
        for w, other in text:
            if w == stand_in:
                diversity = min(diversity, norm(interpretation, other))
    return diversity


def sample_diversity(labeled, text, embeddings):
    """ALDEN equation 9; minus infinity for a text without words."""
    diversity = -math.inf
    for word, interpretation in text:
        diversity = max(diversity, word_diversity(labeled, word, interpretation, embeddings))
    return diversity


def alden(pool, labeled, embeddings, K):
    """ALDEN Algorithm 1, lines 7 to 15: K full sweeps over the pool."""
    labeled = list(labeled)
    remaining = list(range(len(pool)))
    chosen, metrics = [], []
    for _ in range(K):
        best, largest = None, None
        for i in remaining:
            diversity = sample_diversity(labeled, pool[i], embeddings)
            if largest is None or diversity > largest:
                best, largest = i, diversity
        chosen.append(best)
        metrics.append(largest)
        labeled.append(pool[best])
        remaining.remove(best)
    return chosen, metrics
