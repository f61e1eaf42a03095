"""A phone line between browser and server that a test can cut, or that loses the answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Line:
    """Carries connections to the server. address: what the browser opens.

    cut: nothing gets through. says: what is answered in the server's place. loses: answers to
    requests that contain these bytes are lost after the server has done its work.
    """

    def __init__(self, to: str) -> None:
        host, _, port = to.removeprefix("http://").partition(":")
        self._to = (host, int(port))
        self.cut = False
        self.says: bytes | None = None
        self.loses: bytes | None = None
        self.lost = 0
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def hang_up(self) -> None:
        """Cut the line, for connections that are open too."""
        self.cut = True
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take the line down."""
        self.hang_up()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                phone, _ = self._listener.accept()
            except OSError:
                return
            if self.cut:
                phone.close()
                continue
            work = self._carry if self.says is None else self._answer
            threading.Thread(target=work, args=(phone,), daemon=True).start()

    def _answer(self, phone: socket.socket) -> None:
        with suppress(OSError):
            phone.recv(65536)
            phone.sendall(self.says or b"")
            phone.shutdown(socket.SHUT_RDWR)
        phone.close()

    def _carry(self, phone: socket.socket) -> None:
        try:
            server = socket.create_connection(self._to)
        except OSError:
            phone.close()
            return
        self._open |= {phone, server}
        heard = [b""]

        def _there() -> None:
            with suppress(OSError):
                while data := phone.recv(65536):
                    heard[0] = data if data[:5] in (b"POST ", b"GET /") else heard[0] + data
                    server.sendall(data)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=_there, daemon=True).start()
        with suppress(OSError):
            while data := server.recv(65536):
                if self.loses is not None and self.loses in heard[0]:
                    self.lost += 1
                    break
                phone.sendall(data)
        for one in (phone, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
            self._open.discard(one)


@contextmanager
def line(to: str) -> Iterator[Line]:
    """Lay a line to the server at this address, and take it down afterwards."""
    laid = Line(to)
    try:
        yield laid
    finally:
        laid.close()
