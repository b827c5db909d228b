"""Many connections at once that all send the same, from a process of its own, so that the test's is free to look."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

#: Connections a second: more than anybody opens who means well, and fewer than a core of a busy machine can take.
PER_SECOND = 300

PROGRAM = f"""
import contextlib, resource, socket, sys, time
port, sent, many = int(sys.argv[1]), eval(sys.argv[2]), int(sys.argv[3])
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
opened, began = [], time.monotonic()
for number in range(many):
    opened.append(socket.create_connection(("127.0.0.1", port)))
    with contextlib.suppress(OSError):
        opened[-1].sendall(sent)
    time.sleep(max(0, began + number / {PER_SECOND} - time.monotonic()))
print("open", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def flood(url: str, sent: bytes, many: int) -> Iterator[None]:
    """All are open when it begins, as far as the service lets them; until it ends."""
    command = [sys.executable, "-c", PROGRAM, str(urlsplit(url).port), repr(sent), str(many)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as flooding:
        assert flooding.stdout is not None
        assert flooding.stdout.readline() == b"open\n"
        yield
        flooding.communicate()
