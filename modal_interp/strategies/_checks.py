"""Checks that strategies make before any pass through a net."""

from __future__ import annotations

from typing import Any

from modal_interp.nets.dropout import check_passes
from modal_interp.nets.inputs import check_input, check_word_ids
from modal_interp.nets.layers import find_output, how_read
from modal_interp.nets.outputs import check_verbose
from modal_interp.nets.pieces import what_counts
from modal_interp.nets.predictions import is_net, predicts_several
from modal_interp.queries.learner import View, labeled_param


def check_nets(
    views: list[View],
    *,
    embedding: bool = False,
    output: bool = False,
    n_passes: int | None = None,
    X_labeled: Any = None,
    verbose: int = 0,
    **read_by: Any,
) -> None:
    """Check what each net needs, and the samples as it sees them.

    Parameters
    ----------
    views : list of View
        The nets, and what they see.
    embedding, output : bool
        Whether an embedding layer, or an output layer, is needed.
    n_passes : int, optional
        Number of passes with dropout.
    X_labeled : Any
        The labelled samples as the user gave them, to name them in an error.
    verbose : int
        As the user gave it.
    **read_by : dict
        How the nets are read, as the user gave it.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the rule and the value found.
    """
    check_verbose(verbose)
    if len({predicts_several(view.net, view.pool) for view in views}) > 1:
        raise ValueError(
            "the members of a committee must be of one kind, all with one class a sample or all "
            "with several labels; found both."
        )
    for view in views:
        if n_passes is not None:
            check_passes(view.net, n_passes)
        if not is_net(view.net):
            continue  # which checks its input itself
        read = how_read(view.net, **read_by)
        said = (read.embedding_layer, read.no_words, read.begins_word)
        if embedding or any(value is not None for value in said):
            what_counts(view.net, **read_by)
        if output or read.output_layer is not None:
            find_output(view.net, **read_by)
        for X, param in _named(view, labeled_param(X_labeled)):
            if embedding:
                check_word_ids(view.net, X, param=param, **read_by)
            else:
                check_input(view.net, X, param=param)


def _named(view: View, labeled: str) -> list[tuple[Any, str]]:
    """Return what the net sees, each with its name in an error."""
    return [(view.pool, "X_pool"), *((X, labeled) for X in view.labeled)]
