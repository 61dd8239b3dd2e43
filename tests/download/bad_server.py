#!/usr/bin/env python3
"""A web server on this machine with every kind of bad behaviour, for tests of downloads.

http://127.0.0.1:PORT/KIND/N answers in one of the ways below; what must become of it stands beside
each. Pictures are made of N, so that each has bytes of its own; pictures of a folder are served as
/file/NAME. /_seen tells how often each path was asked for.
Usage: bad_server.py [--cap BYTES] [--pictures FOLDER] [--address A] [--port P] [--kinds] [--run COMMAND]
Prints the port, then serves until its standard input ends; or runs a shell's command, which finds the
port in $PORT, and ends with its exit code. Needs nothing but Python itself.
"""
import argparse
import asyncio
import base64
import collections
import email.utils
import gzip
import json
import os
import socket
import struct
import sys
import time
import zlib

JPEG = base64.b64decode(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxO'
    'UlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P'
    'T09PT09PT09PT0//wAARCAAQABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABQb/xAAYEAACAwAAAAAAAAAAAAAAAAAA'
    'BAUiMf/EABUBAQEAAAAAAAAAAAAAAAAAAAAC/8QAGhEAAgIDAAAAAAAAAAAAAAAAAAUDBCExYf/aAAwDAQACEQMRAD8AmFY7Ki6s'
    'dlRdWOyowrHZUqe90KmOsn//2Q==')
GIF = base64.b64decode('R0lGODlhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs=')
WEBP = base64.b64decode(
    'UklGRkIAAABXRUJQVlA4TDYAAAAvA4AAAF9AmG1Ec0T9zd/kJBS0bcOmTKNkujOA89+FZYAKQM8PQBBAopRCCsOtsMKoEf0P6nI=')


def png_chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(n, size=None, width=12, height=9):
    """A picture of its own for each n; size: padded to as many bytes."""
    row = bytes([0]) + bytes((n * 7 + i * 31) % 256 for i in range(3 * width))
    head = b'\x89PNG\r\n\x1a\n' + png_chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    tail = png_chunk(b'tEXt', b'n\0%d' % n) + png_chunk(b'IDAT', zlib.compress(row * height)) + png_chunk(b'IEND', b'')
    padding = b'' if size is None else png_chunk(b'paDd', bytes(size - len(head) - len(tail) - 12))
    return head + padding + tail


def jpeg(n):
    note = b'%d' % n
    return JPEG[:2] + b'\xff\xfe' + struct.pack('>H', len(note) + 2) + note + JPEG[2:]


def picture(n):
    return jpeg(n) if n % 2 else png(n)


class Answer:
    """What a kind writes to: one connection and the number of the request."""

    def __init__(self, server, writer, kind, n):
        self.server, self.writer, self.kind, self.n = server, writer, kind, n
        self.first = server.seen[f'/{kind}/{n}'] == 1

    async def write(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def send(self, body, status='200 OK', length=None, **headers):
        lines = [f'HTTP/1.1 {status}', f'Content-Length: {len(body) if length is None else length}']
        lines += [f'{name.replace("_", "-")}: {value}' for name, value in headers.items()]
        await self.write('\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + body)

    async def redirect(self, to, body=b''):
        await self.send(body, '302 Found', Location=to)

    def reset(self):
        self.writer.get_extra_info('socket').setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.writer.close()

    async def forever(self, data, pause=0):
        while True:
            await self.write(data)
            if pause:
                await asyncio.sleep(pause)


KINDS = {}


def kind(expected):
    """Registers a way to answer and the reason that a row must get for it."""
    def register(function):
        KINDS[function.__name__] = (expected, function)
        return function
    return register


# What is good, in the end.
@kind('success')
async def jpeg_picture(a): await a.send(jpeg(a.n))
@kind('success')
async def png_picture(a): await a.send(png(a.n), Content_Type='image/png')
@kind('success')
async def webp_picture(a): await a.send(WEBP)
@kind('success')
async def gif_picture(a): await a.send(GIF)
@kind('success')
async def named_html(a): await a.send(jpeg(a.n), Content_Type='text/html')
@kind('success')
async def of_largest_size(a): await a.send(png(a.n, a.server.cap))
@kind('success')
async def until_closed(a):
    await a.write(b'HTTP/1.0 200 OK\r\n\r\n' + picture(a.n))
    a.writer.close()
@kind('success')
async def in_chunks(a):
    await a.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    for byte in jpeg(a.n):
        await a.write(b'1\r\n%c\r\n' % byte)
    await a.write(b'0\r\n\r\n')
@kind('success')
async def moved(a): await a.redirect(f'http://{a.server.host}/jpeg_picture/{a.n}')
@kind('success')
async def moved_nearby(a): await a.redirect(f'../png_picture/{a.n}')
@kind('success')
async def fails_once(a):
    if a.first:
        return await a.send(b'', '503 Service Unavailable')
    await a.send(picture(a.n))
@kind('success')
async def resets_once(a):
    if a.first:
        return a.reset()
    await a.send(picture(a.n))
@kind('success')
async def busy(a):
    if a.first:
        a.server.free_at[a.n] = time.monotonic() + 1
        return await a.send(b'', '429 Too Many Requests', Retry_After='1')
    if time.monotonic() < a.server.free_at[a.n]:
        return await a.send(b'', '403 Forbidden')  # asked too soon
    await a.send(picture(a.n))
@kind('success')
async def busy_to_all(a):
    shop = a.server.free_at
    if 'shop' not in shop:
        shop['shop'] = time.monotonic() + 1
        return await a.send(b'', '503 Service Unavailable', Retry_After='1')
    if time.monotonic() < shop['shop']:
        a.server.seen['too soon'] += 1
    await a.send(picture(a.n))
@kind('success')
async def busy_until(a):
    if a.first:
        then = email.utils.formatdate(time.time() + 1, usegmt=True)
        return await a.send(b'', '503 Service Unavailable', Retry_After=then)
    await a.send(picture(a.n))
@kind('success')
async def closed_to_others(a): await a.send(picture(a.n), X_Robots_Tag='otherbot: noindex, noai')
@kind('success')
async def early_hints(a):
    await a.write(b'HTTP/1.1 103 Early Hints\r\nX-Robots-Tag: noai\r\n\r\n')
    await a.send(picture(a.n))

@kind('success')
async def crowded(a):
    a.server.guests += 1
    a.server.seen['most at once'] = max(a.server.seen['most at once'], a.server.guests)
    await asyncio.sleep(0.02)
    a.server.guests -= 1
    await a.send(picture(a.n))

# What a server refuses.
@kind('HTTP status 404')
async def not_found(a): await a.send(b'<html>no</html>', '404 Not Found')
@kind('HTTP status 403')
async def refused_with_endless_page(a):
    await a.write(b'HTTP/1.1 403 Forbidden\r\n\r\n')
    await a.forever(bytes(4096))
@kind('HTTP status 500')
async def broken(a): await a.send(b'', '500 Internal Server Error')
@kind('HTTP status 429')
async def busy_all_day(a): await a.send(b'', '429 Too Many Requests', Retry_After='86400')
@kind('HTTP status 204')
async def no_content(a): await a.write(b'HTTP/1.1 204 No Content\r\n\r\n')
@kind('HTTP status 206')
async def a_part(a): await a.send(picture(a.n), '206 Partial Content')
@kind('HTTP status 999')
async def odd_status(a): await a.send(picture(a.n), '999 Odd')
@kind('HTTP status 302')
async def moved_nowhere(a): await a.send(b'', '302 Found')
@kind('disallowed by X-Robots-Tag')
async def closed_to_all(a): await a.send(picture(a.n), X_Robots_Tag='noarchive, NoAI')
@kind('disallowed by X-Robots-Tag')
async def closed_to_us(a): await a.send(picture(a.n), x_robots_tag='diptych: noindex')

# What leads astray.
@kind('too many redirects')
async def moved_to_itself(a): await a.redirect(f'/moved_to_itself/{a.n}')
@kind('too many redirects')
async def moved_ever_further(a): await a.redirect(f'/moved_ever_further/{a.n}1')
@kind('forbidden address')
async def moved_inside(a): await a.redirect(f'http://[::1]:{a.server.port}/jpeg_picture/{a.n}')
@kind('forbidden address')
async def moved_to_metadata(a): await a.redirect('http://' + '.'.join(['169', '254', '169', '254']) + '/latest')
@kind('not a URL of http or https')
async def moved_to_a_file(a): await a.redirect('file:///etc/hostname')
@kind('not a URL of http or https')
async def moved_to_a_user(a): await a.redirect('http:' + f'//me:secret@{a.server.host}/jpeg_picture/{a.n}')
@kind('HTTP status 302')
async def moved_with_endless_page(a):
    await a.write(b'HTTP/1.1 302 Found\r\nLocation: /jpeg_picture/1\r\n\r\n')
    await a.forever(bytes(4096))

# What is no picture.
@kind('not a picture')
async def html(a): await a.send(b'<!DOCTYPE html><html>please log in</html>', Content_Type='image/jpeg')
@kind('not a picture')
async def svg(a): await a.send(b'<svg xmlns="http://www.w3.org/2000/svg"/>')
@kind('not a picture')
async def nothing(a): await a.send(b'')
@kind('not a picture')
async def two_bytes(a): await a.send(JPEG[:2])
@kind('not a picture')
async def gzip_bomb(a): await a.send(a.server.bomb, Content_Encoding='gzip')
@kind('not a picture')
async def zipped_picture(a): await a.send(gzip.compress(jpeg(a.n)), Content_Encoding='gzip')
@kind('not a picture')
async def endless_zeros(a):
    await a.write(b'HTTP/1.1 200 OK\r\n\r\n')
    await a.forever(bytes(4096))
@kind('damaged picture')
async def half_a_picture(a): await a.send(picture(a.n)[:-40])
@kind('damaged picture')
async def picture_bomb(a): await a.send(png(a.n).replace(struct.pack('>II', 12, 9), struct.pack('>II', 60000, 60000)))
@kind('damaged picture')
async def noise_after_magic(a): await a.send(JPEG[:20] + bytes(i * i % 251 for i in range(3000)))

# What is too much.
@kind('too large')
async def over_largest_size(a): await a.send(png(a.n, a.server.cap + 1))
@kind('too large')
async def over_largest_size_in_chunks(a):
    body = png(a.n, a.server.cap + 1)
    await a.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n' % len(body) + body + b'\r\n0\r\n\r\n')
@kind('too large')
async def endless_picture(a):
    await a.write(b'HTTP/1.1 200 OK\r\n\r\n' + jpeg(a.n))
    await a.forever(bytes(4096))
@kind('too large')
async def announced_huge(a): await a.send(jpeg(a.n), length=1 << 40)
@kind('not an answer of HTTP')
async def endless_headers(a):
    await a.write(b'HTTP/1.1 200 OK\r\n')
    await a.forever(b'X-More: ' + b'm' * 1000 + b'\r\n')
@kind('not an answer of HTTP')
async def endless_header(a):
    await a.write(b'HTTP/1.1 200 OK\r\nX-More: ')
    await a.forever(b'm' * 4096)

# What does not keep to the protocol.
@kind('broken off')
async def shorter_than_announced(a):
    await a.send(picture(a.n), length=5000)
    a.writer.close()
@kind('broken off')
async def resets_midway(a):
    await a.send(picture(a.n)[:50], length=5000)
    await asyncio.sleep(0.02)
    a.reset()
@kind('broken off')
async def resets(a): a.reset()
@kind('broken off')
async def hangs_up(a): a.writer.close()
@kind('not an answer of HTTP')
async def speaks_otherwise(a):
    await a.write(b'220 mail server ready\r\n')
    a.writer.close()
@kind('not an answer of HTTP')
async def negative_length(a): await a.send(picture(a.n), length=-5)
@kind('broken off|not an answer of HTTP')
async def bad_chunk(a):
    await a.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n' + JPEG[:5] + b'\r\nzz\r\n')
    a.writer.close()

# What takes too long.
@kind('timed out')
async def never_answers(a): await asyncio.sleep(3600)
@kind('timed out')
async def drips_headers(a):
    await a.write(b'HTTP/1.1 200 OK\r\nX-More: ')
    await a.forever(b'm', 0.2)
@kind('timed out')
async def drips(a):
    await a.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' + jpeg(a.n))
    await a.forever(b'.', 0.2)


class Server:
    def __init__(self, given):
        self.cap, self.pictures = given.cap, given.pictures
        self.bomb = gzip.compress(bytes(50_000_000))
        self.seen = collections.Counter()
        self.free_at = {}
        self.guests = 0

    async def answer(self, path, writer):
        self.seen[path] += 1
        name, _, rest = path[1:].partition('?')[0].partition('/')
        if name == '_seen':
            a = Answer(self, writer, name, 0)
            return await a.send(json.dumps(self.seen).encode())
        if name == 'file':
            with open(os.path.join(self.pictures, os.path.basename(rest)), 'rb') as file:
                return await Answer(self, writer, name, 0).send(file.read())
        await KINDS[name][1](Answer(self, writer, name, int(rest.split('.')[0])))

    async def serve(self, reader, writer):
        try:
            while True:
                request = await reader.readuntil(b'\r\n\r\n')
                await self.answer(request.split(b' ', 2)[1].decode(), writer)
                if writer.is_closing():
                    return
        except (KeyError, ValueError, FileNotFoundError):
            await Answer(self, writer, '', 0).send(b'', '404 Not Found')
        except (asyncio.IncompleteReadError, OSError):  # of a client that was killed, too
            pass
        finally:
            writer.close()


async def main(given):
    server = Server(given)
    listener = await asyncio.start_server(server.serve, given.address, given.port, backlog=1024)
    server.port = listener.sockets[0].getsockname()[1]
    server.host = f'{"127.0.0.1" if given.address == "0.0.0.0" else given.address}:{server.port}'
    if given.run:
        process = await asyncio.create_subprocess_shell(given.run, env={**os.environ, 'PORT': str(server.port)})
        os._exit(await process.wait())
    print(server.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # whatever the connections are at


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--cap', type=int, default=1 << 20)
    parser.add_argument('--pictures')
    parser.add_argument('--address', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--kinds', action='store_true')
    parser.add_argument('--run')
    given = parser.parse_args()
    if given.kinds:
        for name, (expected, _) in KINDS.items():
            print(f'{name}\t{expected}')
    else:
        asyncio.run(main(given))
