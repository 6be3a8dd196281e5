"""nc [-w SECONDS] HOST PORT: 1 where nobody listens"""

import socket
import sys


def main(arguments, state):
    state.release()
    words = list(arguments)
    seconds = 10.0
    if words[:1] == ["-w"]:
        seconds = float(words[1])
        words = words[2:]
    try:
        with socket.create_connection((words[0], int(words[1])), timeout=seconds) as connection:
            connection.sendall(sys.stdin.buffer.read())
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(1 << 16):
                sys.stdout.buffer.write(data)
    except OSError as error:
        print(f"nc: connect: {error.strerror}", file=sys.stderr)
        return 1
    return 0
