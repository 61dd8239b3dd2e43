"""Fetches a list from every kind of bad server, killing the program again and again, and holds what is
there in the end against what the servers have: nothing lost, nothing twice, caps exact, memory bounded.

Usage: kill_fetch.py PROGRAM ROWS KILLS [SEED]. Needs pyarrow. Each kind of server has a loopback
address of its own, so that what one does slows only its own rows.
"""
import csv, glob, hashlib, json, os, random, signal, subprocess, sys, tarfile, tempfile, time, urllib.request

import bad_server
import pyarrow.parquet as pq

CAP = 1 << 17
SHARD_ROWS = 50
TIMEOUT_S = 4
PEAK_MB = 400
# busy, busy_to_all: their server takes a program that was killed meanwhile for one that does not wait.
KINDS = [kind for kind in bad_server.KINDS if kind not in ('busy', 'busy_to_all', 'crowded')]
GOOD = ('jpeg_picture', 'png_picture')


def address(kind):
    return f'127.0.2.{1 + KINDS.index(kind)}'


def make_rows(count, port, draw):
    kinds = [draw.choice(GOOD) if draw.random() < 0.6 else KINDS[i % len(KINDS)] for i in range(count)]
    return [{'url': f'http://{address(kind)}:{port}/{kind}/{i}', 'text': f'글 {i}', 'kind': kind}
            for i, kind in enumerate(kinds)]


def picture(kind, n):
    """The bytes that a fetched row must have."""
    fixed = {'gif_picture': bad_server.GIF, 'webp_picture': bad_server.WEBP}
    if kind in ('jpeg_picture', 'moved', 'named_html', 'in_chunks'):
        return bad_server.jpeg(n)
    if kind in ('png_picture', 'moved_nearby'):
        return bad_server.png(n)
    if kind == 'of_largest_size':
        return bad_server.png(n, CAP)
    return fixed.get(kind) or bad_server.picture(n)


class Run:
    """One folder, filled over several lives of the program."""

    def __init__(self, program, folder, port):
        self.folder, self.port, self.peak_mb = folder, port, 0
        allowed = ','.join(['127.0.0.1'] + [address(kind) for kind in KINDS])
        self.command = [program, 'fetch', f'{folder}/list.csv', '-o', f'{folder}/out', '--resume', '--json',
                        '--allow-address', allowed, '--shard-rows', str(SHARD_ROWS), '--retries', '1',
                        '--timeout', str(TIMEOUT_S), '--max-picture-mb', str(CAP / (1 << 20))]

    def finished(self):
        return {os.path.basename(path)[:5] for path in glob.glob(f'{self.folder}/out/*_stats.json')}

    def seen(self):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}/_seen') as answer:
            return json.load(answer)

    def live(self, until):
        """Runs the program; kills it once until() holds. Its output, and whether it came to its end."""
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            if until():
                os.kill(process.pid, signal.SIGKILL)  # not process.kill(), which may take its status first
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_mb = max(self.peak_mb, usage.ru_maxrss / 1024)
        assert process.returncode in (0, -9), f'exit code {process.returncode}'
        return process.stdout.read(), process.returncode == 0


def check(run, rows, counts):
    tables = sorted(glob.glob(f'{run.folder}/out/*.parquet'))
    found = [row for path in tables for row in pq.read_table(path).to_pylist()]
    assert [row['url'] for row in found] == [row['url'] for row in rows], 'rows are lost or there twice'
    failures = {}
    stored = {}
    for path in sorted(glob.glob(f'{run.folder}/out/*.tar')):
        with tarfile.open(path) as tar:
            for member in tar:
                assert member.name not in stored, f'{member.name} is there twice'
                stored[member.name] = tar.extractfile(member).read()
    for n, (row, wanted) in enumerate(zip(found, rows)):
        reason = 'success' if row['status'] == 'success' else row['error_message']
        expected = bad_server.KINDS[wanted['kind']][0]
        assert reason in expected.split('|'), f'{row["url"]}: {reason}, not {expected}'
        if reason != 'success':
            failures[reason] = failures.get(reason, 0) + 1
            continue
        ending = next(e for e in ('jpg', 'png', 'webp', 'gif') if f'{row["key"]}.{e}' in stored)
        data = stored.pop(f'{row["key"]}.{ending}')
        assert data == picture(wanted['kind'], n), f'{row["url"]}: other bytes'
        assert hashlib.sha256(data).hexdigest() == row['sha256'] and len(data) <= CAP
        assert stored.pop(f'{row["key"]}.txt').decode() == wanted['text']
        assert json.loads(stored.pop(f'{row["key"]}.json'))['url'] == row['url']
    assert not stored, f'of no row: {sorted(stored)[:5]}'
    assert counts == {'asked': len(rows), 'fetched': len(rows) - sum(failures.values()), 'failures': failures}
    assert not glob.glob(f'{run.folder}/out/*.partial-*')
    return counts


def main(program, count, kills, seed=1):
    draw = random.Random(seed)
    server = subprocess.Popen([sys.executable, bad_server.__file__, '--cap', str(CAP), '--address', '0.0.0.0'],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = int(server.stdout.readline())
    with tempfile.TemporaryDirectory() as folder:
        rows = make_rows(count, port, draw)
        with open(f'{folder}/list.csv', 'w', encoding='utf-8', newline='') as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        run, killed = Run(program, folder, port), 0
        most = max(1, count // SHARD_ROWS // (kills + 2))  # shards that a life may finish
        while True:
            before, seen = run.finished(), run.seen()
            enough, moment = len(before) + draw.randint(0, most), [0.2 * draw.random()]

            def until():
                if killed == kills or len(run.finished()) < enough:
                    return False
                moment[0] -= 0.01
                return moment[0] < 0
            output, is_over = run.live(until)
            assert before <= run.finished(), 'a finished shard is gone'
            now = run.seen()
            for n, row in enumerate(rows):
                path = f'/{row["kind"]}/{n}'
                again = now.get(path, 0) - seen.get(path, 0)
                assert not again or f'{n // SHARD_ROWS:05}' not in before, f'{path} was fetched again'
            if is_over:
                break
            killed += 1
        assert killed == kills, f'only {killed} kills'
        counts = check(run, rows, json.loads(output))
        assert run.peak_mb < PEAK_MB, f'{run.peak_mb:.0f} MB'
        print(f'{count} rows of {len(KINDS)} kinds of server, {kills} kills: {counts["fetched"]} fetched, '
              f'{count - counts["fetched"]} failed as they must; at most {run.peak_mb:.0f} MB')
    server.stdin.close()
    server.wait()


if __name__ == '__main__':
    main(sys.argv[1], *map(int, sys.argv[2:]))
