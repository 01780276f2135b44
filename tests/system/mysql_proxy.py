"""A proxy between the programs and MariaDB that cuts a connection at its COMMIT: either before the server
receives the statement, or after the server has executed it and before the client receives the reply.

    proxy = MysqlProxy("/tmp/x/proxy.sock", "/tmp/x/run/db.sock")
    proxy.cut("hongbao_open", "after")    # the next COMMIT of that user
"""
import os
import select
import socket
import threading

COM_QUERY = 3


def take_packets(data):
    """Split off the complete packets: (list of (payload, raw bytes), rest)."""
    packets = []
    while len(data) >= 4:
        end = 4 + int.from_bytes(data[:3], "little")
        if len(data) < end:
            break
        packets.append((data[4:end], data[:end]))
        data = data[end:]
    return packets, data


class MysqlProxy:
    def __init__(self, path, upstream):
        self.upstream = str(upstream)
        self.lock = threading.Lock()
        self.orders = []  # (user, "before" or "after")
        self.done = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        os.chmod(path, 0o777)
        self.listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def cut(self, user, when):
        with self.lock:
            self.orders.append((user.encode(), when))

    def _take_order(self, user):
        with self.lock:
            for order in self.orders:
                if order[0] == user:
                    self.orders.remove(order)
                    return order[1]
        return None

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            server.connect(self.upstream)
            self._pump(client, server)
        except OSError:
            pass  # one side closed: close the other
        finally:
            client.close()
            server.close()

    def _pump(self, client, server):
        user, rest = None, b""
        while True:
            ready, _, _ = select.select([client, server], [], [])
            if server in ready:
                data = server.recv(65536)
                if not data:
                    return
                client.sendall(data)
            if client not in ready:
                continue
            data = client.recv(65536)
            if not data:
                return
            packets, rest = take_packets(rest + data)
            for payload, raw in packets:
                if user is None:  # handshake response: flags, size, charset, 23 bytes, user
                    user = payload[32:].split(b"\0")[0]
                elif payload[:1] == bytes([COM_QUERY]) and payload[1:].strip() == b"COMMIT":
                    if self._cut_here(user, server, raw):
                        return
                server.sendall(raw)

    def _cut_here(self, user, server, raw):
        when = self._take_order(user)
        if when is None:
            return False
        if when == "after":
            server.sendall(raw)
            server.recv(65536)
        with self.lock:
            self.done += 1
        return True
