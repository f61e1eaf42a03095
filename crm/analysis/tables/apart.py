"""Reading a stranger's file in a process of its own, with limits on its memory and its time.

Whatever a file does to its reader, it does it to a process that holds no key, no connection and
no other person's data, and that the system ends. The same module is that process:
``python -m crm.analysis.tables.apart``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import Final

from crm.analysis.tables.found import (
    MAX_ANSWER,
    SENTENCES,
    Asked,
    CannotRead,
    Table,
    table_of,
)
from crm.domain.errors import Refusal

MEMORY: Final = 512 * 1024 * 1024  # bytes of addresses
PROCESSOR: Final = 20  # seconds of work, and one more for each MiB of the file
PATIENCE: Final = 40  # seconds by the clock on a busy machine, and two more for each MiB
MOST_ANSWERED: Final = MAX_ANSWER  # bytes
_MIB: Final = 1024 * 1024


def read_apart(content: bytes, asked: Asked | None = None) -> Table:
    """Return the table in a file, read by a process of its own.

    Takes about a third of a second. Raises Refusal, with what to do, for a file that cannot be
    read, is built to harm, or takes more than 512 MiB or its time (20 seconds for a short list).
    """
    seconds = PROCESSOR + len(content) // _MIB
    heading = json.dumps({"seconds": seconds, **asdict(asked or Asked())}).encode() + b"\n"
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # The keys of this server stand in its environment: the reader gets none of it.
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "LC_ALL": "C.UTF-8"},
        cwd="/",
        close_fds=True,
    )
    watch = threading.Timer(PATIENCE + 2 * (len(content) // _MIB), process.kill)
    watch.start()
    try:
        answer = _exchange(process, heading, content)
    finally:
        watch.cancel()
        process.kill()
        status = process.wait()
    if not answer:
        # It was ended from outside, or by its own limits.
        raise Refusal(SENTENCES["too_slow" if _ran_out_of_time(status) else "too_big"])
    found = json.loads(answer)
    if "refused" in found:
        raise _refusal(found["refused"], found["number"])
    return table_of(found)


def _exchange(process: subprocess.Popen[bytes], heading: bytes, content: bytes) -> bytes:
    assert process.stdin is not None  # noqa: S101 - asked for above
    assert process.stdout is not None  # noqa: S101
    try:
        # It reads all of it before it answers, so neither side waits for the other.
        process.stdin.write(heading)
        process.stdin.write(content)
        process.stdin.close()
    except BrokenPipeError:
        return b""
    answer = process.stdout.read(MOST_ANSWERED + 1)
    return answer if len(answer) <= MOST_ANSWERED and answer.endswith(b"\n") else b""


def _ran_out_of_time(status: int) -> bool:
    return -status in {9, 24}  # SIGKILL by the watch or the limit, SIGXCPU


def _refusal(key: str, number: int | None) -> Refusal:
    if number is None:
        return Refusal(SENTENCES[key])
    return Refusal(SENTENCES[key], number=f"{number:,}")


def main() -> None:
    """Read a file from the standard input under limits, and write its table as one line of JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    heading = json.loads(sys.stdin.buffer.readline())
    seconds = int(heading.pop("seconds"))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    try:
        table = read_here(sys.stdin.buffer.read(), Asked(**heading))
        answer: dict[str, object] = table.as_plain()
    except CannotRead as refused:
        answer = {"refused": refused.key, "number": refused.number}
    except MemoryError:
        answer = {"refused": "too_big", "number": None}
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def read_here(content: bytes, asked: Asked) -> Table:
    """Return the table in a file, read by this very process. Raises CannotRead.

    For the reading process, and for tests: a server calls ``read_apart``.
    """
    # Loaded here so that the server itself never loads the code that reads hostile files.
    from crm.analysis.tables.guards import sort_of
    from crm.analysis.tables.sheets import read_sheet
    from crm.analysis.tables.texts import read_csv
    from crm.analysis.tables.vcards import read_vcards

    sort = sort_of(content)
    if sort == "csv":
        return read_csv(content, asked)
    if sort == "vcard":
        return read_vcards(content, asked)
    return read_sheet(content, sort, asked)


if __name__ == "__main__":
    main()
