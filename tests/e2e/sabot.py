"""The `sabot` command under test."""

import json
import os
import pathlib
import subprocess

import kafka

BINARY = os.environ["SABOT_BIN"]
FOLDER = pathlib.Path(os.environ["SABOT_E2E_FOLDER"])
DEADLINE_SECONDS = 300
# The shortest session that a broker allows: so long does a killed member stay in its group.
GROUP_OPTIONS = ["-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000"]


def consume(topic, *options):
    """The command line that reads `topic`."""
    # "-F none": no configuration of whoever runs this has any influence.
    where = ["-F", "none", "-b", kafka.BROKERS, "-r", kafka.REGISTRY]
    return [BINARY, "consume", *where, "-t", topic, "-q", *map(str, options)]


def run(command):
    """Runs a command to its end; fails with what it said unless it succeeds."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    said = f"{' '.join(command)}\nexit status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    assert done.returncode == 0, said
    return done


def start(command, log):
    """Starts a command whose standard error goes to the file `log`."""
    with open(log, "wb") as errors:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)


def lines(path):
    """The rows of a JSON Lines file that a reader can use: a last line without its end is not one."""
    if not path.exists():
        return []
    whole = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in whole]
