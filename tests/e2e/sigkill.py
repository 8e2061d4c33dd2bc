"""A consumer group that is killed again and again loses nothing.

What is acknowledged is what was written and flushed before: after each kill, every message below a committed offset
must stand in the outputs, and at the end every message must. Messages may stand there more than once.

New messages are written before each run: however late the kill before it came, it has something to write and to commit.
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


def check():
    for kind, kills in KILLS.items():
        trial = Trial(kind)
        trial.run(kills)
        truth = trial.truth
        print(f"{kind}: killed {kills} times at random moments, {trial.moved} times after new commits; {len(truth):,} of "
              f"{len(truth):,} messages are there, {trial.rows - len(trial.seen):,} of them again; "
              "no committed offset was ahead of the output")


class Trial:
    """One topic and one group with one kind of output."""

    def __init__(self, kind):
        self.kind = kind
        self.topic = f"events-{kind}"
        self.group = f"{self.topic}-group"
        kafka.create_topic(self.topic, PARTITIONS)
        self.encode = kafka.serializer(self.topic, "value", SCHEMA)
        self.writer = kafka.Writer()
        # (partition, offset) -> number.
        self.truth = {}
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
            self.write(MESSAGES // kills)
            self.run_and_kill(kill, MESSAGES // kills)
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

    def write(self, more):
        """Adds messages to the topic."""
        for number in range(len(self.truth), len(self.truth) + more):
            # One producer, one partition after the other in turn: the n-th message of a partition has offset n.
            partition, offset = number % PARTITIONS, number // PARTITIONS
            value = self.encode({"number": number, "text": f"event {number}"})
            self.writer.send(self.topic, value=value, partition=partition)
            self.truth[partition, offset] = number
        self.writer.finish()

    def command(self, run, *more):
        output = {
            "jsonl": ["-O", "jsonl", "--out", self.folder / f"{run}.jsonl"],
            # Whole files of 2,000 rows: what is not yet whole is not yet acknowledged.
            "parquet": ["-O", "parquet", "--rotate-rows", 2000, "--out", self.folder / f"{run}.parquet"],
        }
        options = ["-G", self.group, "-s", "value=avro", *sabot.GROUP_OPTIONS, *STEPS, *output[self.kind], *more]
        return sabot.consume(self.topic, *options)

    def run_and_kill(self, run, unread):
        """Kills it once it has written a random part, up to half, of the `unread` messages that no run can have seen.

        Every second run is left alone until it has committed something: without that, each would begin at the beginning.
        """
        wanted = self.random.randrange(1, unread // 2)
        log = self.folder / f"{run}.log"
        process = sabot.start(self.command(run), log)

        def done():
            moved = run % 2 == 0 or sum(kafka.committed(self.group).values()) > self.place
            return moved and self.written(run) >= wanted

        try:
            sabot.wait(process, log, done, f"run {run} has not written {wanted} rows, and committed (seed {self.seed})")
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
