"""A scikit-learn classifier over a pretrained encoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from modal_interp.estimators.callbacks import fine_tuning_callbacks, for_ending_with_head
from modal_interp.estimators.classifier import _ModuleClassifier
from modal_interp.estimators.contrastive import check_contrastive
from modal_interp.estimators.encoders import (
    encoder_to_look_at,
    fresh_encoder,
    is_pretrained,
    last_layers,
    shared_encoder,
)
from modal_interp.estimators.prepared import PreparedFirst
from modal_interp.estimators.token_ids import as_token_ids, vocabulary_for
from modal_interp.estimators.trainable import (
    FollowsTrainable,
    check_trainable,
    ends_with_head,
    usual,
    what_is_built,
)
from modal_interp.modules import TextTransformer
from modal_interp.modules.feature_store import FeatureStore
from modal_interp.modules.transformer import check_pooling
from modal_interp.texts.pretrained import DEFAULT_MODEL
from modal_interp.texts.tokenizers import Vocabulary


class TransformerClassifier(FollowsTrainable, PreparedFirst, _ModuleClassifier):
    r"""Classify texts by a pretrained encoder and one linear layer, :class:`TextTransformer`.

    Reads the token ids of a :class:`TokenEncoder` of the same model.

    Parameters
    ----------
    model : str, Path or transformers.PretrainedConfig
        An encoder that transformers' ``AutoModel`` loads, by name or by the folder it lies in;
        default "sentence-transformers/all-MiniLM-L6-v2" (22 million parameters, Apache-2.0). For
        other languages there is "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2" (118
        million, Apache-2.0). What lies here is read without network. A configuration makes an
        encoder that was never trained; `random_state` draws its weights.
    module : type of TextTransformer, default=TextTransformer
        It, or a subclass; called with `n_classes`, `encoder`, `pooling`, `padding`, `no_words`,
        `begins_word` and every ``module__*`` parameter, such as ``module__dropout``.
    trainable : {"contrastive", "head", "all"} or int, default="contrastive"
        What `fit` changes beside the output layer. "contrastive": first the encoder, so that texts
        of one label come near each other and those of others far [1]_, then the output layer on
        features that no longer change, as in SetFit [2]_; the output layer alone where no two texts
        share a label, or all have the same. "head": nothing; the features of a text
        are computed once in a process, for all nets with the same model, and kept, so that a round
        takes a second. "all": the encoder, and a number that of its last layers.
    pooling : {"mean", "cls", "own"}, default="mean"
        Features of a text: the mean of its tokens' last states, that of its first token, or what
        the encoder itself pools.
    tokenizer : transformers.PreTrainedTokenizerBase, default=None
        Says which ids are padding, marks and pieces of words. None loads that of `model`; of a
        configuration id 0 is then padding and each other id a word, as of a :class:`WordEncoder`.
    contrastive_steps, contrastive_batch_size : int, default=40 and 24
        Steps of contrastive training and texts in each, 4 at least, of every label as many.
        Interrupted before the first epoch, `fit` raises KeyboardInterrupt, and keeps nothing.
    contrastive_lr : float, default=5e-5
        Its largest step size; warmed up and lowered to 0.
    lr : float, default=None
        Step size; None takes 0.001 for the output layer, and 5e-5 where the encoder is trained with
        it: warmed up over a tenth of the steps, lowered to 0, gradients clipped to length 1.
    batch_size : int, default=None
        Texts a step; None takes 50, and 16 where the encoder is trained.
    max_epochs, min_steps : int, default=None
        Length of training as in :class:`TextCNNClassifier`; None takes 15 passes and 300 steps at
        least for the output layer, 3 and 100 where the encoder is trained.
    optimizer : type of torch.optim.Optimizer, default=AdamW
        As in skorch. Neither it nor `callbacks` reach the contrastive training, always by AdamW.
    iterator_valid__batch_size : int, default=256
        Texts that are predicted together.
    **kwargs
        All other parameters of :class:`TextCNNClassifier` from `classes` on.

    Attributes
    ----------
    n_words_ : int
        Rows of the encoder's word embedding.
    module_ : TextTransformer
        The trained module.

    Raises
    ------
    ImportError
        If transformers is not installed.
    TypeError, ValueError
        If a parameter breaks its rule; if the model is not to be had, is of encoder and decoder or
        comes without a tokenizer; if `X` is no token ids of shape (n, T), of another vocabulary or
        with more tokens than the encoder has places for; if the contrastive loss is no longer
        finite; and as :class:`TextCNNClassifier`.

    Notes
    -----
    In each way gradients by the word embeddings can be pulled, so that every strategy works. Whole
    words are explained: pieces of one add up, and marks such as ``[CLS]`` do not count
    (:class:`ReadBy`; ``words="pieces"`` in a query keeps pieces apart).

    `egl` counts what the last training loop changes: of "head" and "contrastive" the output layer.
    The dropout of an encoder that is not trained with the output layer is off; passes with dropout
    (`bald`) drop features before the output layer. Features are those of this process: a pickle
    holds the encoder's weights, not the features.

    Departs from the paper: [2]_ pulls pairs of texts together by a cosine loss and ends with
    scikit-learn's logistic regression; this takes the supervised contrastive loss of [1]_ on
    batches, and the output layer of this package's nets.

    References
    ----------
    .. [1] P. Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020.
    .. [2] L. Tunstall et al., "Efficient Few-Shot Learning Without Prompts", arXiv:2209.11055,
       2022.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from modal_interp import TokenEncoder, TransformerClassifier
    >>> net = make_pipeline(TokenEncoder(), TransformerClassifier(classes=["neg", "pos"]))
    >>> net.fit(["a fine film", "dull"], ["pos", "neg"])  # doctest: +SKIP
    """

    _vocabulary: tuple[Vocabulary | None, int]
    _built_for: dict[str, Any]
    _store: FeatureStore

    def __init__(
        self,
        model: Any = DEFAULT_MODEL,
        *,
        module: type[nn.Module] = TextTransformer,
        trainable: str | int = "contrastive",
        pooling: str = "mean",
        tokenizer: Any = None,
        contrastive_steps: int = 40,
        contrastive_batch_size: int = 24,
        contrastive_lr: float = 5e-5,
        lr: float | None = None,
        batch_size: int | None = None,
        optimizer: type[torch.optim.Optimizer] = torch.optim.AdamW,
        iterator_valid__batch_size: int = 256,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            module,
            lr=lr,
            batch_size=batch_size,
            optimizer=optimizer,
            iterator_valid__batch_size=iterator_valid__batch_size,
            **kwargs,
        )
        self.__dict__["model"] = model  # also one that skorch would take for a part of its own
        self.trainable = trainable
        self.pooling = pooling
        self.tokenizer = tokenizer
        self.contrastive_steps = contrastive_steps
        self.contrastive_batch_size = contrastive_batch_size
        self.contrastive_lr = contrastive_lr

    @property
    def usual_epochs(self) -> int:  # type: ignore[override]
        """Passes over the samples where nobody tells."""
        return int(usual(self.trainable)["epochs"])

    @property
    def usual_steps(self) -> int:  # type: ignore[override]
        """Least steps of training where nobody tells."""
        return int(usual(self.trainable)["steps"])

    # What is read.

    def _check_input(self, X: Any, *, reset: bool) -> NDArray[np.int64]:
        if not reset:
            return as_token_ids(X, self.module_.encoder, *self._vocabulary)
        self._check_options()
        self._vocabulary = vocabulary_for(self.model, self.tokenizer)
        encoder = encoder_to_look_at(self.model)
        check_pooling(self.pooling, encoder)
        ids = as_token_ids(X, encoder, *self._vocabulary)
        self.n_words_ = encoder.get_input_embeddings().num_embeddings
        return ids

    def check_ids(self, X: Any) -> None:
        """Raise a ValueError where the encoder cannot read these ids; queries ask so first."""
        self._check_input(X, reset=False)

    def _check_options(self) -> None:
        super()._check_options()
        self._check_device_is_there()
        check_trainable(self.trainable)
        if not (isinstance(self.module, type) and issubclass(self.module, TextTransformer)):
            raise TypeError(
                f"module must be TextTransformer or a subclass; found {self.module!r}. Wrap a "
                "module of yours in skorch.NeuralNetClassifier: strategies ask it all the same."
            )
        check_contrastive(self.contrastive_steps, self.contrastive_batch_size, self.contrastive_lr)

    # What is trained.

    def _module_sizes(self) -> dict[str, Any]:
        self._vocabulary = vocabulary_for(self.model, self.tokenizer)
        found = self._vocabulary[0]
        names = () if found is None else ("padding", "no_words", "begins_word")
        words = {name: getattr(found, name) for name in names}
        return {"encoder": self._encoder(), "pooling": self.pooling, **words}

    def _shared_encoder(self) -> tuple[nn.Module, FeatureStore]:
        padding = getattr(self._vocabulary[0], "padding", 0)
        encoder, store = shared_encoder(self.model, self.pooling, self.device, padding)
        # A subclass may make other features of a text.
        return encoder, store if self.module is TextTransformer else FeatureStore()

    def _shares(self) -> bool:
        return self.trainable == "head" and is_pretrained(self.model)

    def _encoder(self) -> Any:
        if self._shares():
            # Taken with its features at once: asked again, there may be other files.
            encoder, self._store = self._shared_encoder()
            return encoder
        with self._own_randomness():
            return fresh_encoder(self.model)

    def initialize_module(self) -> TransformerClassifier:
        """Build the module, and freeze what is not trained."""
        super().initialize_module()
        self._built_for = what_is_built(self)
        if self._shares():
            self.module_.freeze(self.__dict__.pop("_store"), shared=True)
        elif ends_with_head(self.trainable):
            self.module_.freeze(FeatureStore())
        elif self.trainable != "all":
            encoder = self.module_.encoder.requires_grad_(False)
            for layer in last_layers(encoder, int(self.trainable)):
                layer.requires_grad_(True)
        return self

    def get_all_learnable_params(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters that are trained, each with its name."""
        named = super().get_all_learnable_params()
        yield from ((name, p) for name, p in named if p.requires_grad)

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        found = super()._default_callbacks
        last_head = ends_with_head(self.trainable)
        return for_ending_with_head(found) if last_head else [*found, *fine_tuning_callbacks()]
