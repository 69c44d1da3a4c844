"""A proxy in front of a broker: TLS, SASL, and links that break. Driven from standard input; every order is answered.

    proxy.py UPSTREAM [--tls CERTIFICATE KEY] [--user NAME:PASSWORD]     prints its own port
    cut N          the answers to the next N requests for batches are not passed on, and their links close
    cut-every N    the same for every Nth from now on; 0 ends it
    down, up       links are refused, and those that are open are closed; taken again
    password P     the user's password from now on
    count          the number of answers to batches seen so far

Answers of metadata name the proxy in the broker's place. Brokers of the tests cannot do TLS, nor keep users.
"""

import asyncio
import base64
import ssl
import struct
import sys

from scramp import ScramMechanism

PRODUCE, METADATA, HANDSHAKE, VERSIONS, AUTHENTICATE = 0, 3, 17, 18, 36
REFUSED, UNSUPPORTED = 58, 33


class Proxy:
    def __init__(self, upstream, user):
        self.host, port = upstream.rsplit(":", 1)
        self.upstream_port = int(port)
        self.port = 0
        self.name, self.password = user or (None, None)
        self.cut, self.cut_every, self.answers = 0, 0, 0
        self.is_down = False
        self.links = set()

    async def link(self, reader, writer):
        if self.is_down:
            writer.transport.abort()
            return
        self.links.add(writer)
        above = None
        try:
            above_reader, above = await asyncio.open_connection(self.host, self.upstream_port)
            self.links.add(above)
            if self.name and not await self.log_in(reader, writer, above_reader, above):
                return
            asked = asyncio.Queue()
            await asyncio.gather(self.upwards(reader, above, asked), self.downwards(above_reader, writer, asked))
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError, Cut):
            pass
        finally:
            for end in filter(None, (writer, above)):
                self.links.discard(end)
                end.transport.abort()

    async def upwards(self, reader, above, asked):
        while True:
            frame = await take(reader)
            asked.put_nowait(struct.unpack(">h", frame[:2])[0])
            above.write(framed(frame))
            await above.drain()

    async def downwards(self, above_reader, writer, asked):
        while True:
            frame = await take(above_reader)
            api = await asked.get()
            if api == PRODUCE:
                self.answers += 1
                if self.cut > 0 or (self.cut_every and self.answers % self.cut_every == 0):
                    self.cut -= self.cut > 0
                    raise Cut
            if api == METADATA:
                host = self.host.encode()
                named = lambda port: bytes([len(host) + 1]) + host + struct.pack(">i", port)
                frame = frame.replace(named(self.upstream_port), named(self.port))
            writer.write(framed(frame))
            await writer.drain()

    async def log_in(self, reader, writer, above_reader, above):
        mechanism, server = None, None
        while True:
            frame = await take(reader)
            api, version, number, length = struct.unpack(">hhih", frame[:10])
            body = frame[10 + max(length, 0) :]
            if api == VERSIONS:
                above.write(framed(frame))
                writer.write(framed(await take(above_reader)))
            elif api == HANDSHAKE:
                (size,) = struct.unpack(">h", body[:2])
                mechanism = body[2 : 2 + size].decode()
                known = mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
                writer.write(framed(struct.pack(">ihi", number, 0 if known else UNSUPPORTED, 0)))
                if known and mechanism != "PLAIN":
                    scram = ScramMechanism(mechanism)
                    salt, stored, server_key, rounds = scram.make_auth_info(self.password, iteration_count=4096)
                    lookup = lambda name: (salt, stored, server_key, rounds)
                    server = scram.make_server(lookup)
            elif api == AUTHENTICATE:
                body = body[1:]  # the header's tags
                message = body[1 : body[0]] if body[0] < 128 else body[2 : 1 + (body[0] & 127) + (body[1] << 7)]
                answer, is_refused, is_over = self.authenticate(mechanism, server, message)
                code = REFUSED if is_refused else 0
                writer.write(framed(struct.pack(">ibhb", number, 0, code, 0) + compact(answer) + struct.pack(">qb", 0, 0)))
                await writer.drain()
                if is_refused:
                    return False
                if is_over:
                    return True
            else:
                return False
            await writer.drain()

    def authenticate(self, mechanism, server, message):
        if mechanism == "PLAIN":
            return b"", message != f"\0{self.name}\0{self.password}".encode(), True
        try:
            text = message.decode()
            if server.stage is None:
                if f"n={self.name}," not in text:
                    return b"", True, True
                server.set_client_first(text)
                return server.get_server_first().encode(), False, False
            server.set_client_final(text)
            return server.get_server_final().encode(), False, True
        except Exception as problem:
            print(f"refused: {problem}", file=sys.stderr)
            return b"", True, True

    def order(self, words):
        match words:
            case ["cut", count]:
                self.cut = int(count)
            case ["cut-every", count]:
                self.cut_every = int(count)
            case ["down"]:
                self.is_down = True
                for link in list(self.links):
                    link.transport.abort()
            case ["up"]:
                self.is_down = False
            case ["password", password]:
                self.password = password
            case ["count"]:
                return str(self.answers)
        return "ok"


class Cut(Exception):
    pass


async def take(reader):
    (length,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(length)


def framed(frame):
    return struct.pack(">i", len(frame)) + frame


def compact(data):
    size, head = len(data) + 1, b""
    while size >= 128:
        head += bytes([size & 127 | 128])
        size >>= 7
    return head + bytes([size]) + data


async def main():
    upstream, *rest = sys.argv[1:]
    tls, user = None, None
    while rest:
        match rest:
            case ["--tls", certificate, key, *rest]:
                tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                tls.load_cert_chain(certificate, key)
            case ["--user", named, *rest]:
                user = named.split(":", 1)
    proxy = Proxy(upstream, user)
    server = await asyncio.start_server(proxy.link, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    print(proxy.port, flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(proxy.order(line.split()), flush=True)


asyncio.run(main())
