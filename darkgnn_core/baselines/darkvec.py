"""i-DarkVec: hosts as words, ports as sentences, skip-gram with negative sampling, day by day.

For a host u and a host c within w places of it in a sentence, with drawn hosts v_1..v_K:

    loss = - ln s(z_u . y_c) - sum_k ln s(- z_u . y_vk),   s(a) = 1 / (1 + exp(-a)),   K = 5

z (input) and y (output) vectors, w drawn from 1..window for each place, v from the counts of all
days so far to the power 0.75, no subsampling of frequent hosts. Stochastic gradient steps with a
rate that falls linearly from 0.025 to 0.0001 over each day. A host that was never seen before
starts at random; the others go on from where they were, and the vectors of the day's hosts are the
embedding. The arithmetic is gensim's compiled skip-gram on one thread, batches of up to 10,000
tokens as gensim makes them: the result is that of its `Word2Vec.train(total_words=...)`, bit for
bit. Sentences longer than its 10,000 tokens, which it would silently cut off, go in as parts.

The vocabulary only grows: 1 KiB of vectors a host ever seen, at 128 dimensions, and as much again
while a day's new hosts are added.

Shapes: n hosts of the day, V hosts so far; z float32 (V, E), y float32 (V, E), counts int64 (V,).

Source: paper, section 4.2 and reference [8]; numbers that the text leaves open are gensim's
defaults, without subsampling as in the released code; `sentence_tokens` for how that cuts.
"""

import logging
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
from gensim.models import Word2Vec
from gensim.models.word2vec_inner import MAX_WORDS_IN_BATCH, train_batch_sg

from darkgnn_core.baselines.daily import check_state, embedding_of, no_checkpoint, units_of
from darkgnn_core.baselines.sentences import Sentences, read_sentences
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError
from darkgnn_core.run_config import DarkVecConfig, RunConfig
from darkgnn_core.run_days import Days
from darkgnn_core.snapshots.reading import column, read_hosts
from darkgnn_core.trainers import Step, Tell, TrainerState, Unit, seed_of

FIRST_RATE, LAST_RATE = 0.025, 0.0001

STEP_TOKENS = 150_000
"""Tokens between two steps told: a second or so, so that a request to stop is heard."""

ARRAYS = ("hosts", "vectors", "outputs", "counts")

WORD = 1 << 32
"""Added to an address to make a word: gensim takes a small integer that it does not know as the
place of another word."""

logging.getLogger("gensim").setLevel(logging.ERROR)  # its progress, a dozen lines a day


class DarkVecTrainer:
    """i-DarkVec on the packets of each day.

    Args:
        config: Of the run.
        days: Of the run, with packet files.

    Raises:
        RunError: `NEEDS-PACKETS` if a day has none.
    """

    def __init__(self, config: RunConfig, days: Days) -> None:
        assert isinstance(config.settings, DarkVecConfig)  # noqa: S101 - RunConfig has checked it
        for each in days.inputs:
            if not each.packet_files:
                raise RunError(
                    f"i-DarkVec reads the packets behind a snapshot, and {each.key} has none: only "
                    "its snapshot is known. Leave the day out, or ingest its packets.",
                    code="NEEDS-PACKETS",
                )
        self.config = config
        self.settings = config.settings
        self.days = days
        self._model = _new_model(config.settings, config.seed)

    @property
    def units(self) -> tuple[Unit, ...]:
        """One a day."""
        return units_of(self.days)

    def do(self, position: int, tell: Tell) -> Iterator[Embedding]:
        """Go on with the day's sentences and give the vectors of its hosts."""
        day = self.days.inputs[position]
        hosts = column(read_hosts(day.directory, ["host"]), "host")
        sentences = read_sentences(day, hosts, self.days.snapshot_config)
        words = hosts.astype(np.int64) + WORD
        _add_words(self._model, words, np.bincount(sentences.tokens, minlength=len(hosts)))
        # No generator lives from day to day: a run that goes on draws what it would have drawn.
        draws = seed_of(self.config.seed, "i-darkvec", day.key).generate_state(8)
        self._model.random = np.random.RandomState(draws)
        for epoch in range(self.settings.epochs):
            for loss, seconds in train_epoch(
                self._model,
                sentences,
                words,
                epoch=epoch,
                epochs=self.settings.epochs,
                sentence_tokens=self.settings.sentence_tokens,
            ):
                tell(Step(day.key, epoch + 1, self.settings.epochs, loss, None, seconds))
        place = self._model.wv.key_to_index
        rows = [place[word] for word in words.tolist()]
        yield embedding_of(self.config, day.key, hosts, self._model.wv.vectors[rows])

    def state(self) -> TrainerState:
        """Return words and vectors; the tables gensim draws from follow from the counts."""
        wv = self._model.wv
        arrays = {
            "hosts": (np.array(wv.index_to_key, np.int64) - WORD).astype(np.uint32),
            "vectors": wv.vectors.astype(np.float32, copy=False),
            "outputs": self._model.syn1neg,
            "counts": np.asarray(wv.expandos["count"], np.int64),
        }
        return TrainerState(arrays, {"method": self.config.method})

    def restore(self, state: TrainerState) -> None:
        """Put words and vectors back into a model of these settings.

        Raises:
            RunError: `CHECKPOINT`.
        """
        check_state(state, self.config, ARRAYS)
        hosts, counts = state.arrays["hosts"], state.arrays["counts"]
        shape = (len(hosts), self.settings.embedding)
        shapes = {name: state.arrays[name].shape for name in ("vectors", "outputs")}
        if set(shapes.values()) != {shape} or len(counts) != len(hosts):
            raise no_checkpoint(self.config, f"vectors of {shapes}, expected {shape}")
        self._model = _new_model(self.settings, self.config.seed)
        wv = self._model.wv
        wv.index_to_key = (hosts.astype(np.int64) + WORD).tolist()
        wv.key_to_index = {word: place for place, word in enumerate(wv.index_to_key)}
        wv.vectors = np.array(state.arrays["vectors"], np.float32, order="C")
        wv.expandos["count"] = np.array(counts, np.int64)
        self._model.syn1neg = np.array(state.arrays["outputs"], np.float32, order="C")


def _new_model(settings: DarkVecConfig, seed: int) -> Any:
    model = Word2Vec(
        sg=1,
        vector_size=settings.embedding,
        window=settings.window,
        negative=settings.negatives,
        epochs=settings.epochs,
        alpha=FIRST_RATE,
        min_alpha=LAST_RATE,
        min_count=0,
        sample=0,
        sorted_vocab=0,
        workers=1,
        seed=seed,
    )
    model.lifecycle_events = None  # a diary with the machine's name in it, kept for ever
    return model


def _add_words(model: Any, words: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None:
    """Add a day's counts to the vocabulary; new hosts come last, by address."""
    frequencies = dict(zip(words.tolist(), counts.tolist(), strict=True))
    model.build_vocab_from_freq(frequencies, update=len(model.wv.index_to_key) > 0)


def train_epoch(
    model: Any,
    sentences: Sentences,
    words: npt.NDArray[np.int64],
    *,
    epoch: int,
    epochs: int,
    sentence_tokens: int,
) -> Iterator[tuple[float, float]]:
    """Pass once over a day's sentences.

    Args:
        model: gensim's `Word2Vec` with the day's words in its vocabulary.
        sentences: Of the day.
        words: int64 (n,), the word of each host of the day.
        epoch: Passes made over the day before.
        epochs: Passes in all.
        sentence_tokens: As in `DarkVecConfig`.

    Yields:
        After every `STEP_TOKENS` tokens or more: loss a token over them (summed over the token's
        context), and seconds.
    """
    ends = sentences.cut(sentence_tokens, MAX_WORDS_IN_BATCH)
    total = max(len(sentences.tokens), 1)
    work = np.zeros(model.vector_size, np.float32)
    loss, since, began = 0.0, 0, perf_counter()
    for first, pieces in batches_of(ends, MAX_WORDS_IN_BATCH):
        done = (epoch + first / total) / epochs
        rate = max(LAST_RATE, FIRST_RATE - (FIRST_RATE - LAST_RATE) * done)
        model.running_training_loss = 0.0  # float32 in gensim: a day's sum would lose its end
        text = [words[sentences.tokens[start:end]].tolist() for start, end in pieces]
        train_batch_sg(model, text, rate, work, True)
        loss += float(model.running_training_loss)
        end = pieces[-1][1]
        if end - since >= STEP_TOKENS or end == total:
            yield loss / (end - since), perf_counter() - began
            loss, since, began = 0.0, end, perf_counter()


def batches_of(
    ends: npt.NDArray[np.int64], tokens: int
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield successive pieces of up to so many tokens together: the first token, then the pieces.

    >>> list(batches_of(np.array([4, 6, 9]), 6))
    [(0, [(0, 4), (4, 6)]), (6, [(6, 9)])]
    """
    first, start, pieces = 0, 0, list[tuple[int, int]]()
    for end in ends.tolist():
        if pieces and end - first > tokens:
            yield first, pieces
            first, pieces = start, []
        pieces.append((start, end))
        start = end
    if pieces:
        yield first, pieces
