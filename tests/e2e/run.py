"""Runs the end-to-end checks: all of them, or those named. `cargo xtask e2e` starts this with all that it needs."""

import shutil
import sys
import time
import traceback

import bounds
import kafka
import outage
import parity
import sabot
import sigkill

CHECKS = {"parity": parity.check, "bounds": bounds.check, "sigkill": sigkill.check, "outage": outage.check}


def main(names):
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        sys.exit(f"there is no check {unknown[0]!r}; there are {', '.join(CHECKS)}")
    shutil.rmtree(sabot.FOLDER, ignore_errors=True)
    sabot.FOLDER.mkdir(parents=True)
    kafka.check_keeps_old_messages()
    failed = []
    for name in names or CHECKS:
        print(f"-- {name}")
        start = time.monotonic()
        try:
            CHECKS[name]()
        except AssertionError as fault:
            failed.append(name)
            print(f"FAILED {name}: {fault}")
        except Exception:
            # A client's error, say. The checks do not depend on each other: the others still have something to tell.
            failed.append(name)
            print(f"FAILED {name}:\n{traceback.format_exc()}")
        print(f"-- {name}: {time.monotonic() - start:.0f} s")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; outputs are in {sabot.FOLDER}")


main(sys.argv[1:])
