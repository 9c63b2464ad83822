"""i-DarkVec against gensim's own training, and what holds of every method."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from gensim.models import Word2Vec, word2vec
from planted_days import planted_days, rebuilt
from safetensors.numpy import load_file, save_file
from trainer_checks import addresses_of, check_trainer, run_through, separation

from darkgnn_core.baselines import darkvec
from darkgnn_core.baselines.darkvec import WORD, DarkVecTrainer
from darkgnn_core.baselines.sentences import read_sentences
from darkgnn_core.errors import RunError
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import DayInput, Days
from darkgnn_core.trainers import TrainerState, seed_of

CONFIG = RunConfig.of("i-darkvec", seed=3)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Give four days with two planted groups that only their ports tell apart."""
    return planted_days(tmp_path_factory.mktemp("planted"), fingerprints=False)


def test_the_compiled_extension_is_in_use():
    """Gensim computes in C; without it a day would take hours."""
    assert word2vec.FAST_VERSION >= 0


@pytest.mark.parametrize("method", [{}, {"epochs": 2, "sentence_tokens": 100, "embedding": 24}])
def test_what_holds_of_every_method(planted, method):
    """i-DarkVec passes the checks of every method but renumbering: words are drawn by place."""
    config = RunConfig.of("i-darkvec", **method)
    check_trainer(lambda days: DarkVecTrainer(config, days), planted[0], renumbers=False)


@pytest.mark.parametrize(("tokens", "limit"), [(0, 10_000), (90, 10_000), (0, 128)])
def test_same_bits_as_gensims_own_training(planted, monkeypatch, tokens, limit):
    """Two days give what `build_vocab` and `train` of `Word2Vec` give on the same text."""
    monkeypatch.setattr(darkvec, "MAX_WORDS_IN_BATCH", limit)
    days = planted[0]
    config = RunConfig.of("i-darkvec", seed=3, sentence_tokens=tokens, epochs=2)
    ours = run_through(DarkVecTrainer(config, days))[:2]
    model = Word2Vec(
        vector_size=128, sg=1, negative=5, sample=0, min_count=1, workers=1, seed=3,
        sorted_vocab=0, batch_words=limit, alpha=0.025, min_alpha=0.0001,
    )  # fmt: skip
    for position, day in enumerate(days.inputs[:2]):
        hosts = days.snapshot(position).hosts
        read = read_sentences(day, hosts, days.snapshot_config)
        text = np.split(hosts[read.tokens], read.cut(tokens, limit)[:-1])
        text = [[str(host) for host in part.tolist()] for part in text]
        counts = {str(host): 0 for host in hosts.tolist()}
        for part in text:
            for word in part:
                counts[word] += 1
        model.build_vocab_from_freq(counts, update=position > 0)
        model.random = np.random.RandomState(seed_of(3, "i-darkvec", day.key).generate_state(8))
        model.train(text, total_words=len(read.tokens), epochs=2)
        expected = np.array([model.wv[str(host)] for host in hosts.tolist()])
        assert np.array_equal(ours[position].vectors, expected)


RESUME = """
import sys, json
from pathlib import Path
from safetensors.numpy import load_file
from darkgnn_core.baselines.darkvec import DarkVecTrainer
from darkgnn_core.config import GraphConfig, SnapshotConfig
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import DayInput, Days
from darkgnn_core.trainers import TrainerState

state, out, inputs = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
days = Days(
    [DayInput(key, Path(at), tuple(map(Path, files))) for key, at, files in inputs],
    snapshot_config=SnapshotConfig(), graph=GraphConfig(),
)
trainer = DarkVecTrainer(RunConfig.of("i-darkvec", seed=3), days)
trainer.restore(TrainerState(load_file(state), {"method": "i-darkvec"}))
last = [each for at in (2, 3) for each in trainer.do(at, lambda step: None)][-1]
Path(out).write_bytes(last.vectors.tobytes())
"""


def test_another_process_goes_on_with_the_same_bits(planted, tmp_path):
    """A state restored in a new process after two days ends in the bits of one process."""
    days = planted[0]
    trainer = DarkVecTrainer(CONFIG, days)
    for position in (0, 1):
        list(trainer.do(position, lambda _: None))
    save_file(dict(trainer.state().arrays), tmp_path / "state.safetensors")
    expected = run_through(trainer, 2)[-1].vectors.tobytes()
    inputs = [
        (each.key, str(each.directory), list(map(str, each.packet_files))) for each in days.inputs
    ]
    subprocess.run(
        [sys.executable, "-W", "error", "-c", RESUME, str(tmp_path / "state.safetensors"),
         str(tmp_path / "last"), json.dumps(inputs)],
        check=True, timeout=60, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert (tmp_path / "last").read_bytes() == expected


def test_a_state_of_another_width_is_refused(planted):
    """Vectors of other dimensions are no checkpoint of this run."""
    trainer = DarkVecTrainer(CONFIG, planted[0])
    list(trainer.do(0, lambda _: None))
    narrow = DarkVecTrainer(RunConfig.of("i-darkvec", embedding=16), planted[0])
    with pytest.raises(RunError, match="expected") as told:
        narrow.restore(trainer.state())
    assert told.value.code == "CHECKPOINT"


def test_a_host_that_stays_away_keeps_its_vector_and_count(planted):
    """The vocabulary grows by the new hosts; the vectors of absent hosts do not move."""
    days = planted[0]
    trainer = DarkVecTrainer(CONFIG, days)
    list(trainer.do(0, lambda _: None))
    first = {name: values.copy() for name, values in trainer.state().arrays.items()}
    list(trainer.do(1, lambda _: None))
    second = trainer.state().arrays
    known = len(first["hosts"])
    assert np.array_equal(second["hosts"][:known], first["hosts"])
    assert set(second["hosts"].tolist()) == set(
        days.snapshot(0).hosts.tolist() + days.snapshot(1).hosts.tolist()
    )
    away = ~np.isin(first["hosts"], days.snapshot(1).hosts)
    assert away.any()
    assert np.array_equal(second["vectors"][:known][away], first["vectors"][away])
    assert np.array_equal(second["counts"][:known][away], first["counts"][away])
    assert (second["counts"][:known][~away] > first["counts"][~away]).all()
    assert not np.array_equal(second["vectors"][:known][~away], first["vectors"][~away])


def test_low_addresses_are_words_of_their_own(planted, tmp_path):
    """Addresses smaller than the vocabulary (0.0.0.x) are not taken for places in it."""
    number_of = {address: number for number, address in enumerate(addresses_of(planted[0]))}

    def change(table: pa.Table) -> pa.Table:
        senders = [number_of.get(host, 99) for host in table["src_ip"].to_pylist()]
        place = table.schema.get_field_index("src_ip")
        return table.set_column(place, table.schema.field(place), pa.array(senders, pa.uint32()))

    days = rebuilt(planted[0], tmp_path / "low", change)
    trainer = DarkVecTrainer(CONFIG, days)
    embeddings = run_through(trainer)
    assert sorted(trainer.state().arrays["hosts"].tolist()) == addresses_of(days)
    for each in embeddings:
        assert len(np.unique(each.vectors, axis=0)) == len(each.hosts)


def test_sentences_cut_as_released_matter(planted):
    """The preset of the released code cuts across ports, and that gives other vectors."""
    assert RunConfig.of("i-darkvec", "as_released").settings.sentence_tokens == 1_000
    one = run_through(DarkVecTrainer(CONFIG, planted[0]))
    cut = RunConfig.of("i-darkvec", "as_released", seed=3)
    two = run_through(DarkVecTrainer(cut, planted[0]))
    assert not np.array_equal(one[0].vectors, two[0].vectors)


def test_steps_tell_a_falling_loss(planted, monkeypatch):
    """Parts of an epoch are told as they go, and the loss falls from day to day."""
    monkeypatch.setattr(darkvec, "STEP_TOKENS", 500)
    monkeypatch.setattr(darkvec, "MAX_WORDS_IN_BATCH", 200)
    told = []
    run_through(DarkVecTrainer(CONFIG, planted[0]), told=told)
    assert len(told) >= 8
    assert told[0].loss > 0
    by_day = {step.day: step.loss for step in told}
    assert by_day[planted[0].keys[3]] < told[0].loss


def test_a_request_to_stop_is_passed_on(planted, monkeypatch):
    """What `tell` raises ends the day in the middle."""
    monkeypatch.setattr(darkvec, "STEP_TOKENS", 200)
    monkeypatch.setattr(darkvec, "MAX_WORDS_IN_BATCH", 100)
    told = []

    def stop(step):
        told.append(step)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        list(DarkVecTrainer(CONFIG, planted[0]).do(0, stop))
    assert len(told) == 1


def test_gensim_logs_nothing(planted, caplog):
    """Gensim's progress does not end up in the run's log."""
    with caplog.at_level(logging.INFO):
        run_through(DarkVecTrainer(CONFIG, planted[0]))
    assert not [record for record in caplog.records if record.name.startswith("gensim")]


def test_days_without_packets_are_refused_at_once(planted):
    """A day of which only the snapshot is known ends in a message with the day and the way out."""
    days = planted[0]
    inputs = [*days.inputs[:2], DayInput("2021-12-03", days.inputs[2].directory)]
    bare = Days(inputs, snapshot_config=days.snapshot_config, graph=days.graph)
    with pytest.raises(RunError, match="2021-12-03 has none") as told:
        DarkVecTrainer(CONFIG, bare)
    assert told.value.code == "NEEDS-PACKETS"


def test_words_are_beyond_any_place():
    """A word is an address above 32 bits, so never the place of another word."""
    assert WORD > 2**32 - 1


def test_planted_groups_are_apart(planted):
    """After a day of learning, nearest neighbours tell groups that differ by their ports alone."""
    days, group_of = planted
    for each in run_through(DarkVecTrainer(CONFIG, days)):
        assert separation(each, group_of) > 0.95, each.key


def test_a_state_survives_the_disk_format(planted, tmp_path):
    """The state's arrays have types that safetensors holds, and come back as they were."""
    trainer = DarkVecTrainer(CONFIG, planted[0])
    list(trainer.do(0, lambda _: None))
    state = trainer.state()
    save_file(dict(state.arrays), tmp_path / "state")
    other = DarkVecTrainer(CONFIG, planted[0])
    other.restore(TrainerState(load_file(tmp_path / "state"), dict(state.facts)))
    for name, values in other.state().arrays.items():
        assert values.dtype == state.arrays[name].dtype
        assert np.array_equal(values, state.arrays[name])
