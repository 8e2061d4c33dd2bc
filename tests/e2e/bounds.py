"""Where reading begins and where it ends: by time, behind aborted transactions, at the end, before the end, as committed.

librdkafka's own mock broker, which the tests in Rust run on, knows neither times nor aborted transactions.
"""

import random

from confluent_kafka import Producer

import kafka
import sabot

PARTITIONS = 4
ROWS = 1_000
START_MS = 1_700_000_000_000


def check():
    for each in [times, transactions, end, starts]:
        each()


def times():
    """`-o s@A -o e@B`, where timestamps go back and forth, some partitions end before A or B, and one is empty."""
    topic = "times"
    kafka.create_topic(topic, PARTITIONS)
    r = random.Random(topic)
    writer = kafka.Writer(**{"compression.type": "lz4"})
    for number in range(ROWS):
        # About one message in 10 ms, up to 200 ms too early or too late. Partition 1 ends halfway; partition 3 is empty.
        partition = r.choice([0, 2] if number > ROWS // 2 else [0, 1, 2])
        sent_ms = START_MS + 10 * number + r.randrange(-200, 200)
        writer.send(topic, value=str(number), partition=partition, timestamp=sent_ms)
    writer.finish()
    truth = {partition: [] for partition in range(PARTITIONS)}
    for message in kafka.read_all(topic):
        assert message.offset() == len(truth[message.partition()])
        truth[message.partition()].append(message.timestamp()[1])

    def first(partition, time_ms):
        """The first offset whose timestamp is `time_ms` or later; the end if there is none."""
        there = (offset for offset, sent_ms in enumerate(truth[partition]) if sent_ms >= time_ms)
        return next(there, len(truth[partition]))

    # A message before which all in its partition are older: reading from its time on begins with it.
    some, last = max(truth[0][:ROWS // 10]), max(map(max, filter(None, truth.values())))
    pairs = [
        (START_MS + 2_000, START_MS + 4_000),
        # Exactly that message's time, and one millisecond behind it.
        (some, some + 1),
        (some + 1, START_MS + 7_000),
        # Everything; from halfway on, with an end in the future; nothing.
        (0, last + 1),
        (START_MS + 5_500, last + 10_000_000),
        (START_MS + 4_000, START_MS + 2_000),
        (last + 1, last + 2),
    ]
    counts = []
    for begin_ms, end_ms in pairs:
        expected = {
            partition: list(range(first(partition, begin_ms), first(partition, end_ms))) for partition in truth
        }
        found = read(topic, "-o", f"s@{begin_ms}", "-o", f"e@{end_ms}")
        same(found, expected, f"from {begin_ms} to {end_ms}")
        counts.append(sum(map(len, expected.values())))
    print(f"{len(pairs)} pairs of times, as the messages' timestamps say: {', '.join(map(str, counts))} rows of {ROWS:,}")


def transactions():
    """A partition's last records are aborted ones and markers, which nobody is given: reading ends behind them."""
    topic, group = "transactions", "transactions-group"
    kafka.create_topic(topic, PARTITIONS)
    producer = Producer({"bootstrap.servers": kafka.BROKERS, "transactional.id": topic})
    producer.init_transactions(kafka.DEADLINE_SECONDS)

    def send(partitions):
        producer.begin_transaction()
        for number in range(10):
            for partition in partitions:
                producer.produce(topic, str(number), partition=partition)
        # All are in the log before the transaction ends, also when it is aborted.
        assert producer.flush(kafka.DEADLINE_SECONDS) == 0

    # Partition 1 has aborted messages alone, partition 2 committed ones behind them, partition 3 nothing.
    for committed, partitions in [(False, [2]), (True, [0, 2]), (False, [0, 1])]:
        send(partitions)
        if committed:
            producer.commit_transaction(kafka.DEADLINE_SECONDS)
        else:
            producer.abort_transaction(kafka.DEADLINE_SECONDS)
    expected = {0: list(range(10)), 1: [], 2: list(range(11, 21)), 3: []}
    same(read(topic, "-o", "beginning", "-e"), expected, "committed messages with aborted ones at the tail")
    same(read(topic, "-o", "-1", "-e"), {2: []}, "the last offset, which is a marker")
    in_group = [*sabot.GROUP_OPTIONS, "-G", group, "-e"]
    same(read(topic, *in_group), expected, "the same in a group")
    same(read(topic, *in_group), {}, "the group's next run")
    send([0, 3])
    same(read(topic, "-o", "beginning", "-e"), expected, "while a transaction is open")
    producer.commit_transaction(kafka.DEADLINE_SECONDS)
    expected[0] += range(22, 32)
    expected[3] += range(10)
    same(read(topic, "-o", "beginning", "-e"), expected, "when it is committed")
    print("reading ends by itself behind aborted transactions and their markers, and before an open one")


def end():
    """`-o end`: what comes after it began, and nothing that was there before."""
    topic = "end"
    kafka.create_topic(topic, PARTITIONS)
    count = 100
    send(topic, count)
    out, log = sabot.FOLDER / "end.jsonl", sabot.FOLDER / "end.log"
    process = sabot.start(command(topic, out, "-o", "end", "--linger-ms", 10), log)
    try:
        # When it has found the ends is not to be seen. So messages are sent until it has read one of each partition:
        # from there on, all must come.
        def begun():
            nonlocal count
            send(topic, 1)
            count += 1
            return len(offsets(out)) == PARTITIONS

        sabot.wait(process, log, begun, "it has not read of each partition")
        send(topic, 100)
        count += 100
        all_there = lambda: all(found[-1:] == [count - 1] for found in offsets(out).values())
        sabot.wait(process, log, all_there, f"not all {count} offsets of each partition were reached")
    finally:
        process.kill()
        process.wait()
    for partition, found in offsets(out).items():
        assert found[0] >= 100, f"partition {partition}: offset {found[0]} was there before"
        assert found == list(range(found[0], count)), f"partition {partition}: not all offsets from {found[0]} to {count}"
    print("`-o end` reads all that comes after it began, and nothing from before")


def starts():
    """`-o N`, `-o -N`, `-o stored`, with the beginning of one partition deleted; and a group's offsets before those."""
    topic = "starts"
    kafka.create_topic(topic, PARTITIONS)
    send(topic, 100)
    kafka.delete_before(topic, 1, 50)

    def rest(*begin):
        return {partition: list(range(at, 100)) for partition, at in enumerate(begin)}

    alone = {"beginning": rest(0, 50, 0, 0), "end": {}, "40": rest(40, 50, 40, 40), "1000": {}, "-10": rest(*[90] * 4),
             "-70": rest(30, 50, 30, 30), "-1000": rest(0, 50, 0, 0)}
    for option, expected in alone.items():
        same(read(topic, "-o", option, "-e"), expected, f"-o {option}")
    # Partition 1: committed was what is deleted now. Partition 3: nothing was.
    committed = {0: 60, 1: 20, 2: 100}
    groups = {"stored": rest(60, 50, 100, 0), "beginning": rest(60, 50, 100, 0), "end": rest(60, 50, 100, 100),
              "-10": rest(60, 50, 100, 90), "30": rest(60, 50, 100, 30)}
    for option, expected in groups.items():
        group = f"{topic}{option}"
        kafka.commit(topic, group, committed)
        in_group = ["-G", group, *sabot.GROUP_OPTIONS, "-o", option, "-e"]
        same(read(topic, *in_group), expected, f"-o {option} in a group that has committed {committed}")
        same(read(topic, *in_group), {}, f"-o {option} in that group, again")
    print(f"{', '.join(alone)}; in a group: {', '.join(groups)}: each begins where it should")


def send(topic, rows):
    """So many messages to each partition."""
    writer = kafka.Writer()
    for number in range(rows):
        for partition in range(PARTITIONS):
            writer.send(topic, value=f"message {number}", partition=partition)
    writer.finish()


def command(topic, out, *options):
    return sabot.consume(topic, "-s", "value=string", "-O", "jsonl", "--overwrite", "--out", out, *options)


def read(topic, *options):
    """Partition -> the offsets that a run read; it has to end by itself."""
    out = sabot.FOLDER / f"{topic}.jsonl"
    sabot.run(command(topic, out, *options))
    return offsets(out)


def offsets(path):
    """Partition -> the offsets in a file, in their order there; no partition that has none."""
    found = {}
    for row in sabot.lines(path):
        found.setdefault(row["_partition"], []).append(row["_offset"])
    return found


def same(found, expected, what):
    for partition in range(PARTITIONS):
        present, wanted = found.get(partition, []), expected.get(partition, [])
        assert present == wanted, f"{what}: partition {partition}: expected {shown(wanted)}, found {shown(present)}"


def shown(numbers):
    whole = numbers and numbers == list(range(numbers[0], numbers[-1] + 1))
    return f"{numbers[0]} to {numbers[-1]}" if whole else f"{len(numbers)} offsets: {numbers[:20]}"
