"""The `sabot` command under test."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

import kafka

BINARY = os.environ["SABOT_BIN"]
FOLDER = pathlib.Path(os.environ["SABOT_E2E_FOLDER"])
DEADLINE_SECONDS = 300
# The shortest session that a broker allows: so long does a killed member stay in its group.
GROUP_OPTIONS = ["-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=1000"]
# Whoever runs this may have a configuration of their own in the environment: what the checks mean is on the command line
# alone. `kafka` has left proxies out already.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("SABOT_", "KCAT_"))}


def consume(topic, *options):
    """The command line that reads `topic`."""
    # "-F none": no file with properties has any influence.
    where = ["-F", "none", "-b", kafka.BROKERS, "-r", kafka.REGISTRY]
    return [BINARY, "consume", *where, "-t", topic, "-q", *map(str, options)]


def run(command):
    """Runs a command to its end; fails with what it said unless it succeeds."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=ENVIRONMENT)
        try:
            status = process.wait(DEADLINE_SECONDS)
            how = f"exit status {status}"
        except subprocess.TimeoutExpired:
            status, how = None, f"it has not ended after {DEADLINE_SECONDS} s"
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        text = said.read().decode(errors="replace")
    assert status == 0, f"{' '.join(command)}\n{how}\n{text[-6000:]}"


def start(command, log):
    """Starts a command whose standard error goes to the file `log`."""
    with open(log, "wb") as errors:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=ENVIRONMENT
        )


def lines(path):
    """The rows of a JSON Lines file that a reader can use: a last line without its end is not one."""
    if not path.exists():
        return []
    whole = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in whole]


def wait(process, log, done, what):
    """Waits until `done()` while a command runs; fails if it ends by itself, or with `what` after long."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not done():
        # Once more where it has ended: the last that it wrote may have come between the two looks.
        assert process.poll() is None or done(), f"it ended by itself:\n{log.read_text()[-2000:]}"
        assert time.monotonic() < deadline, f"{what} after {DEADLINE_SECONDS} s:\n{log.read_text()[-2000:]}"
        time.sleep(0.02)
