"""A person at a terminal: types and looks, step by step.

The arguments are the program and its own. Standard input holds the steps, a list in JSON:
["see", text] waits for text that was not seen before, ["type", text] types, and ["touch", port]
connects to a port of this computer. ["resize", [rows, columns]] makes the terminal another size, and
["signal", name] sends the program a signal. What the program wrote, how it ended and whether the terminal
echoes again is written to standard output, in JSON.
"""

import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import termios
import time

DEADLINE_SECONDS = 60

steps = json.load(sys.stdin)
master, terminal = os.openpty()
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
child = os.fork()
if child == 0:
    os.close(master)
    os.login_tty(terminal)
    os.execv(sys.argv[1], sys.argv[1:])

output = b""
seen = 0
status = None
deadline = time.monotonic() + DEADLINE_SECONDS


def read():
    """Reads what is there; false once the program is over and everything was read."""
    global output, status
    if time.monotonic() > deadline:
        os.kill(child, 9)
        sys.exit(f"too late; the program wrote {output[-2000:]!r}")
    if status is None:
        ended, code = os.waitpid(child, os.WNOHANG)
        status = code if ended else None
    if select.select([master], [], [], 0 if status is not None else 0.02)[0]:
        output += os.read(master, 65536)
        return True
    return status is None


def see(text):
    global seen
    while (found := output.find(text, seen)) < 0:
        if not read():
            sys.exit(f"the program ended before {text!r}; it wrote {output[-2000:]!r}")
    seen = found + len(text)


for action, value in steps:
    if action == "see":
        see(value.encode())
    elif action == "type":
        os.write(master, value.encode())
    elif action == "touch":
        socket.create_connection(("127.0.0.1", value)).close()
    elif action == "resize":
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *value, 0, 0))
        os.kill(child, signal.SIGWINCH)
    elif action == "signal":
        os.kill(child, signal.Signals["SIG" + value])
while read():
    pass
echoes = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
code = os.waitstatus_to_exitcode(status)
print(json.dumps({"output": output.decode(errors="replace"), "code": code, "echoes": echoes}))
