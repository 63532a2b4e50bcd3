"""How a wrapped module is read: its layers, and what of its input counts as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from skorch import NeuralNet
from torch import nn

Words = Literal["whole", "pieces"]


class ReadBy(NamedTuple):
    """How a net is read: the layers of its words and its logits, and which ids make a word.

    Every function that looks inside a net takes these as keywords, for nets that are not read
    rightly without: ``learner.query(pool, embedding_layer="encoder.words")``. A module may say it
    for itself, once for all queries, by an attribute or a property ``read_by``, as the modules of
    this package do::

        class Reader(nn.Module):
            read_by = {"embedding_layer": "encoder.words", "output_layer": "decide"}

    A keyword goes before what the module says, and that before what is found without.

    Attributes
    ----------
    embedding_layer : str or None
        Name, as in ``module.named_modules()``, of the layer that reads the words. Where nobody
        says it, the first ``nn.Embedding``.
    output_layer : str or None
        Name of the layer that gives the logits. Where nobody says it, the last ``nn.Linear``.
    no_words : sequence of int or None
        Ids that are no words, as ``tokenizer.all_special_ids``. Padding never is one: the
        embedding layer's ``padding_idx``, 0 without one.
    begins_word : array of bool of shape (V,) or None
        Whether each id, a row of the embedding layer, begins a word; rows behind the last value do.
        A word is then a run of ids in a text, from one that begins a word, or that follows what is
        no word, up to the next such. None makes each id a word of its own.
    words : {"whole", "pieces"}
        Whether the pieces of a word count as one, or each by itself.

    Notes
    -----
    Departs from the paper: none; the papers' nets have one layer of each, and no pieces of words.
    """

    embedding_layer: str | None = None
    output_layer: str | None = None
    no_words: Sequence[int] | None = None
    begins_word: NDArray[np.bool_] | None = None
    words: Words = "whole"


def how_read(net: NeuralNet, **read_by: Any) -> ReadBy:
    """Return how a net is read: by what a query names, else by what its module says.

    Raises
    ------
    TypeError
        If something else is named.
    ValueError
        If the module's own ``read_by`` is no mapping of these, or `words` is neither of its values.
    """
    check_read_by(read_by)
    told = getattr(net.module_, "read_by", {})
    if not isinstance(told, Mapping) or not set(told) <= set(ReadBy._fields):
        raise ValueError(
            f"read_by of {type(net.module_).__name__} must map {_KEYWORDS} to names of its layers, "
            f"and to which ids make a word; found {told!r}."
        )
    named = {key: value for key, value in read_by.items() if value is not None}
    said = {key: value for key, value in {**told, **named}.items() if value is not None}
    if not isinstance(said.get("words", "whole"), str) or said.get("words", "whole") not in _WORDS:
        raise ValueError(
            f"words must be {' or '.join(map(repr, _WORDS))}, the pieces of a word as one or each "
            f"by itself; found {said['words']!r}."
        )
    return ReadBy(**said)


def check_read_by(read_by: Mapping[str, Any]) -> None:
    """Check the keywords by which a user says how nets are read, or raise a TypeError."""
    if unknown := sorted(set(read_by) - set(ReadBy._fields)):
        raise TypeError(
            f"unexpected keyword {unknown[0]!r}; how a net is read is said by {_KEYWORDS}."
        )


def find_embedding(net: NeuralNet, **read_by: Any) -> nn.Embedding:
    """Return the layer that reads the words: the one that is named, else the first embedding.

    Raises
    ------
    ValueError
        If there is no such layer. The message lists the layers of the module.
    """
    name = how_read(net, **read_by).embedding_layer
    return _find(net, name, nn.Embedding, param="embedding_layer", position=0)


def find_output(net: NeuralNet, **read_by: Any) -> nn.Linear:
    """Return the layer that gives the logits: the one that is named, else the last linear one.

    Raises
    ------
    ValueError
        If there is no such layer. The message lists the layers of the module.
    """
    name = how_read(net, **read_by).output_layer
    return _find(net, name, nn.Linear, param="output_layer", position=-1)


def find_logits(net: NeuralNet, **read_by: Any) -> nn.Linear | None:
    """Return the layer that gives the logits; None where nobody says it and there is none."""
    named = how_read(net, **read_by).output_layer is not None
    return find_output(net, **read_by) if named or has_layer(net, nn.Linear) else None


def n_guesses(net: NeuralNet, **read_by: Any) -> int:
    """Return of how many layers the one that reads the words was guessed: 0 if somebody said it."""
    if how_read(net, **read_by).embedding_layer is not None:
        return 0
    return sum(isinstance(layer, nn.Embedding) for layer in net.module_.modules())


def n_outputs(net: NeuralNet, **read_by: Any) -> int:
    """Return how many outputs the net has, at least two, as far as that can be told unrun."""
    layer = find_logits(net, **read_by)
    return max(2, len(getattr(net, "classes_", ())), layer.out_features if layer else 0)


def has_layer(net: NeuralNet, kind: type[nn.Module]) -> bool:
    """Tell whether the net's module holds a layer of this kind."""
    return any(isinstance(layer, kind) for layer in net.module_.modules())


def reads_words(net: NeuralNet) -> bool:
    """Tell whether the net reads word ids: whether its module holds an ``nn.Embedding``."""
    return has_layer(net, nn.Embedding)


def padding_id(net: NeuralNet, **read_by: Any) -> int:
    """Return the id that stands for no word: the embedding's ``padding_idx``, 0 without one."""
    padding = find_embedding(net, **read_by).padding_idx
    return 0 if padding is None else padding


_WORDS = get_args(Words)
_KEYWORDS = ", ".join(f"{field}=" for field in ReadBy._fields[:-1]) + f" and {ReadBy._fields[-1]}="


def _find(net: NeuralNet, name: str | None, kind: Any, *, param: str, position: int) -> Any:
    # Under its own name also where a module around it was compiled.
    layers = {key.replace("_orig_mod.", ""): m for key, m in net.module_.named_modules()}
    found = [layer for layer in layers.values() if isinstance(layer, kind)]
    if name is None and found:
        return found[position]
    if isinstance(layers.get(name), kind):
        return layers[name]
    if name is None:
        problem = f"the module holds no nn.{kind.__name__}"
    elif name not in layers:
        problem = f"the module holds no layer called {name!r}"
    else:
        problem = f"{name!r} is a {type(layers[name]).__name__}, not an nn.{kind.__name__}"
    listed = ", ".join(f"{key} ({type(layer).__name__})" for key, layer in layers.items() if key)
    raise ValueError(
        f"{param}={name!r}: {problem}. The layers of {type(net.module_).__name__} are: "
        f"{listed or 'none'}."
    )
