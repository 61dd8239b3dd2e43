"""How well diptych fetch tells swapped pictures by the hash that a list has of them (COYO's image_phash),
where hosts have re-encoded and resized the others: at each radius, the share of swapped pictures that
are flagged and of the others that are. Fails below 99 % or above 0.5 % at the program's own radius.

Usage: swapped.py PROGRAM PICTURES [ROWS] [SWAPPED]; PICTURES: a folder of photographs, cut at random.
"""
import glob, io, multiprocessing, os, pathlib, random, subprocess, sys, tempfile

import numpy as np
import pyarrow as pa, pyarrow.parquet as pq
from PIL import Image, ImageOps

SERVER = pathlib.Path(__file__).parent.parent / 'tests/download/bad_server.py'
N = np.arange(32)
COSINES = np.cos(np.pi * np.arange(8)[:, None] * (2 * N + 1) / 64)


def phash(picture):
    """As imagehash.phash."""
    grey = np.asarray(picture.convert('L').resize((32, 32), Image.Resampling.LANCZOS), dtype=np.float64)
    low = 4 * COSINES @ grey @ COSINES.T
    bits = (low > np.median(low)).flatten()
    return f'{int("".join("1" if bit else "0" for bit in bits), 2):016x}'


def cut(path, draw):
    picture = Image.open(path).convert('RGB')
    width, height = picture.size
    w, h = (int(side * draw.uniform(0.4, 0.9)) for side in (width, height))
    x, y = draw.randint(0, width - w), draw.randint(0, height - h)
    picture = picture.crop((x, y, x + w, y + h))
    picture.thumbnail((640, 640))
    return ImageOps.mirror(picture) if draw.random() < 0.5 else picture


def encode(picture, draw, changed):
    """What a host sends: the picture as it was, or smaller, or in another encoding, or both."""
    data = io.BytesIO()
    if not changed:
        picture.save(data, 'JPEG', quality=92)
        return data.getvalue()
    if draw.random() < 0.6:
        share = draw.uniform(0.25, 1)
        filter = draw.choice([Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
        picture = picture.resize([max(64, int(side * share)) for side in picture.size], filter)
    kind = draw.choice(['JPEG', 'JPEG', 'JPEG', 'WEBP', 'PNG'])
    picture.save(data, kind, **({} if kind == 'PNG' else {'quality': draw.randint(40, 95)}))
    return data.getvalue()


def make(task):
    """The hash that the list has, and the file that the host sends."""
    number, listed, shown, folder = task
    draw = random.Random(number)
    picture = cut(listed, draw)
    was = io.BytesIO(encode(picture, draw, False))
    sent = was.getvalue() if listed == shown and draw.random() < 0.3 else encode(
        picture if listed == shown else cut(shown, draw), draw, True)
    pathlib.Path(folder, f'{number}.jpg').write_bytes(sent)
    return phash(Image.open(was))


def main(program, pictures, count=20000, swapped=1000):
    draw = random.Random(5)
    names = sorted(path for path in glob.glob(f'{pictures}/*') if path.lower().endswith(('.jpg', '.jpeg', '.png')))
    is_swapped = set(draw.sample(range(count), swapped))
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f'{folder}/pictures')
        tasks = []
        for i in range(count):
            listed = draw.choice(names)
            shown = draw.choice([name for name in names if name != listed]) if i in is_swapped else listed
            tasks.append((i, listed, shown, f'{folder}/pictures'))
        with multiprocessing.Pool() as pool:
            hashes = pool.map(make, tasks, chunksize=50)
        server = subprocess.Popen([sys.executable, SERVER, '--pictures', f'{folder}/pictures'],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        port = int(server.stdout.readline())
        urls = [f'http://127.0.0.1:{port}/file/{i}.jpg' for i in range(count)]
        pq.write_table(pa.table({'url': urls, 'image_phash': hashes}), f'{folder}/list.parquet')
        subprocess.run([program, 'fetch', f'{folder}/list.parquet', '-o', f'{folder}/out', '--per-host', '64',
                        '--allow-address', '127.0.0.1'], check=True, stderr=subprocess.DEVNULL)
        rows = [row for path in sorted(glob.glob(f'{folder}/out/*.parquet'))
                for row in pq.read_table(path, columns=['url', 'status', 'phash_distance']).to_pylist()]
        server.stdin.close()
        server.wait()
    assert [row['url'] for row in rows] == urls
    distances = [row['phash_distance'] for row in rows]
    print('radius  swapped flagged  others flagged')

    def shares(is_flagged):
        flagged = {i for i in range(count) if is_flagged(i)}
        return len(flagged & is_swapped) / swapped, len(flagged - is_swapped) / (count - swapped)
    for radius in range(4, 29, 2):
        print(f'{radius:6} {shares(lambda i: distances[i] > radius)[0]:15.2%} '
              f'{shares(lambda i: distances[i] > radius)[1]:15.2%}')
    right, wrong = shares(lambda i: rows[i]['status'] == 'swapped')
    print(f'the program: {right:.2%} of {swapped} swapped, {wrong:.2%} of {count - swapped} others')
    sys.exit(right < 0.99 or wrong > 0.005)


if __name__ == '__main__':
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
