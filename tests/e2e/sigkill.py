"""A consumer group that is killed again and again loses nothing.

What is acknowledged is what was written and flushed before: after each kill, every message below a committed offset
must stand in the outputs, and at the end every message must. Messages may stand there more than once.
"""

import random
import time

import pyarrow.parquet

import kafka
import sabot

MESSAGES = 200_000
PARTITIONS = 4
KILLS = {"jsonl": 10, "parquet": 3}
SCHEMA = {
    "type": "record",
    "name": "Event",
    "fields": [{"name": "number", "type": "long"}, {"name": "text", "type": "string"}],
}
# Small batches and frequent commits: a kill then falls between any two steps of reading, writing and committing.
STEPS = ["--batch-rows", 500, "-X", "auto.commit.interval.ms=50"]
DEADLINE_SECONDS = 120


def check():
    topic = "events"
    kafka.create_topic(topic, PARTITIONS)
    truth = write(topic)
    for kind, kills in KILLS.items():
        trial = Trial(topic, kind, truth)
        trial.run(kills)
        print(f"{kind}: killed {kills} times at random moments, {trial.moved} times after new commits; {len(truth):,} of "
              f"{len(truth):,} messages are there, {trial.rows - len(trial.seen):,} of them again; "
              "no committed offset was ahead of the output")


def write(topic):
    """(partition, offset) -> number."""
    encode = kafka.serializer(topic, "value", SCHEMA)
    writer = kafka.Writer()
    for number in range(MESSAGES):
        writer.send(topic, value=encode({"number": number, "text": f"event {number}"}), partition=number % PARTITIONS)
    writer.finish()
    # One producer, one partition after the other in turn: the n-th message of a partition has offset n.
    return {(number % PARTITIONS, number // PARTITIONS): number for number in range(MESSAGES)}


class Trial:
    """One group with one kind of output."""

    def __init__(self, topic, kind, truth):
        self.topic, self.kind, self.truth = topic, kind, truth
        self.group = f"{topic}-{kind}"
        self.folder = sabot.FOLDER / self.group
        self.folder.mkdir()
        # The seed is printed with a failure, which makes the moments of the kills the same again, about.
        self.seed = random.randrange(2**32)
        self.random = random.Random(self.seed)
        self.seen = {}
        self.rows = 0
        self.read = set()
        self.place = 0
        self.moved = 0

    def run(self, kills):
        for kill in range(kills):
            self.run_and_kill(kill, kills - kill)
            self.gather()
            place = self.check_committed()
            self.moved += place > self.place
            self.place = place
        assert self.moved >= kills // 2, f"{self.kind}: only {self.moved} of {kills} runs committed anything"
        sabot.run(self.command("last", "-e"))
        self.gather()
        self.check_committed()
        lost = self.truth.keys() - self.seen.keys()
        assert not lost, f"{self.kind}: {len(lost)} messages are lost: {sorted(lost)[:5]} (seed {self.seed})"

    def command(self, run, *more):
        output = {
            "jsonl": ["-O", "jsonl", "--out", self.folder / f"{run}.jsonl"],
            # Whole files of 2,000 rows: what is not yet whole is not yet acknowledged.
            "parquet": ["-O", "parquet", "--rotate-rows", 2000, "--out", self.folder / f"{run}.parquet"],
        }
        options = ["-G", self.group, "-s", "value=avro", *sabot.GROUP_OPTIONS, *STEPS, *output[self.kind], *more]
        return sabot.consume(self.topic, *options)

    def run_and_kill(self, run, runs_left):
        """Kills it once it has written a random part of what is left, so that every run has something to do.

        Every second run is left alone until it has committed something: without that, each would begin at the beginning.
        """
        share = (len(self.truth) - len(self.seen)) // (runs_left + 1)
        wanted = self.random.randrange(1, max(share, 2))
        log = self.folder / f"{run}.log"
        process = sabot.start(self.command(run), log)
        try:
            deadline = time.monotonic() + DEADLINE_SECONDS
            while self.written(run) < wanted or (run % 2 == 1 and sum(kafka.committed(self.group).values()) == self.place):
                assert process.poll() is None, f"run {run} ended by itself:\n{log.read_text()[-2000:]}"
                assert time.monotonic() < deadline, f"run {run} wrote nothing for long:\n{log.read_text()[-2000:]}"
                time.sleep(0.002)
            time.sleep(self.random.random() * 0.05)
        finally:
            process.kill()
            process.wait()

    def written(self, run):
        """About how many rows a run has written."""
        if self.kind == "parquet":
            return 2000 * len(list(self.folder.glob(f"{run}-*.parquet")))
        path = self.folder / f"{run}.jsonl"
        return path.stat().st_size // 100 if path.exists() else 0

    def gather(self):
        """Reads the outputs that were not read yet."""
        for path in sorted(set(self.folder.glob("*." + self.kind)) - self.read):
            self.read.add(path)
            rows = sabot.lines(path) if self.kind == "jsonl" else pyarrow.parquet.read_table(path).to_pylist()
            for row in rows:
                at = row["_partition"], row["_offset"]
                assert self.truth[at] == row["number"], f"{path}: {row}, expected number {self.truth[at]}"
                self.seen[at] = True
            self.rows += len(rows)

    def check_committed(self):
        """Fails where a message below a committed offset is in no output; gives how many messages are committed."""
        committed = kafka.committed(self.group)
        for partition, offset in committed.items():
            missing = [before for before in range(offset) if (partition, before) not in self.seen]
            assert not missing, (f"{self.kind}: offset {offset} of partition {partition} is committed, but {len(missing)} "
                                 f"messages before it are in no output, the first at {missing[0]} (seed {self.seed})")
        return sum(committed.values())
