"""The registry stops answering while a topic is being read.

Schemas that are known go on decoding. A message with a new id waits; if the registry comes back in time, reading goes
on; if not, the command ends with an error that names the message, and the next run of the group loses nothing.
"""

import os
import re
import signal
import time

import kafka
import sabot

ROWS = 1_000
TOPIC, GROUP = "outage", "outage-group"
# After so long the command gives up on a schema. The registry is back long before, also where this runs late.
REGISTRY_SECONDS = 30


def check():
    kafka.create_topic(TOPIC, 1)
    # The last one is never written: rows are resolved onto the latest version, so that one is known from the start.
    versions = [schema(version) for version in range(4)]
    # Registered while the registry answers; the serializers know their ids from here on.
    ids = [kafka.register(TOPIC, "value", version) for version in versions]
    encode = [kafka.serializer(TOPIC, "value", version) for version in versions]
    for each in encode:
        each({"number": 0, "text": ""})
    first = sabot.FOLDER / "outage-1.jsonl"
    log = sabot.FOLDER / "outage-1.log"
    process = sabot.start(command(first), log)
    try:
        send(encode[0], 0)
        wait(process, log, first, ROWS)
        with stopped():
            send(encode[0], ROWS)
            wait(process, log, first, 2 * ROWS)
            print(f"{ROWS:,} messages with a known schema were read while the registry gave no answer")
            send(encode[1], 2 * ROWS)
            time.sleep(2)
            assert len(sabot.lines(first)) == 2 * ROWS, "messages were read whose schema nobody can have told"
        wait(process, log, first, 3 * ROWS)
        print(f"{ROWS:,} messages with a new schema waited until the registry was back, and were read")
        with stopped():
            send(encode[2], 3 * ROWS)
            status = process.wait(sabot.DEADLINE_SECONDS)
    finally:
        process.kill()
        process.wait()
    said = log.read_text()
    assert status == 1, f"expected exit status 1, found {status}:\n{said[-2000:]}"
    names = {"the topic and partition": f"{TOPIC}[0]", "the offset": f"offset {3 * ROWS}", "the schema id": f"schema {ids[2]}"}
    for what, name in names.items():
        assert re.search(rf"{re.escape(name)}(?!\d)", said), f"the error does not name {what} ({name}):\n{said[-2000:]}"
    print(f"a schema that never came ended the run: {said.splitlines()[0]}")
    check_nothing_lost(first)


def check_nothing_lost(first):
    before = {row["_offset"]: row for row in sabot.lines(first)}
    place = kafka.committed(GROUP).get(0, 0)
    assert place <= len(before), f"offset {place} is committed, but only {len(before)} messages were written"
    second = sabot.FOLDER / "outage-2.jsonl"
    sabot.run(command(second, "-e"))
    after = {row["_offset"]: row for row in sabot.lines(second)}
    rows = before | after
    wrong = [at for at in range(4 * ROWS) if at not in rows or rows[at]["number"] != at]
    assert not wrong, f"{len(wrong)} messages are lost or wrong, the first at offset {wrong[0]}"
    assert len(rows) == 4 * ROWS, f"{len(rows)} rows for {4 * ROWS} messages"
    print(f"the next run of the group went on at offset {place}: {len(rows):,} of {4 * ROWS:,} messages are there")


def schema(version):
    added = [{"name": f"added{at}", "type": "int", "default": at} for at in range(version)]
    fields = [{"name": "number", "type": "long"}, {"name": "text", "type": "string"}, *added]
    return {"type": "record", "name": "Reading", "fields": fields}


def command(out, *more):
    decoding = ["-s", "value=avro", "--registry-timeout", REGISTRY_SECONDS]
    return sabot.consume(TOPIC, "-G", GROUP, *decoding, *sabot.GROUP_OPTIONS, "-O", "jsonl", "--out", out, *more)


def send(encode, start):
    writer = kafka.Writer()
    for number in range(start, start + ROWS):
        record = {"number": number, "text": f"reading {number}", "added0": 5, "added1": 6, "added2": 7}
        writer.send(TOPIC, value=encode(record), partition=0)
    writer.finish()


def wait(process, log, path, rows):
    sabot.wait(process, log, lambda: len(sabot.lines(path)) >= rows, f"{rows} rows are not in {path}")


class stopped:
    """The registry takes connections and answers none."""

    def __enter__(self):
        os.kill(kafka.REGISTRY_PID, signal.SIGSTOP)

    def __exit__(self, *_):
        os.kill(kafka.REGISTRY_PID, signal.SIGCONT)
