"""Good pictures per second from one list of a server on this machine, by diptych fetch and img2dataset
in turn: the same pictures, of ten URLs one without a picture. Whole commands are timed, each at its best
number of connections and with as many tries. img2dataset keeps the bytes as they come, and with its
documented settings decodes and encodes them anew; fetch keeps the bytes and decodes them to see that it can.

Usage: download_speed.py PROGRAM PICTURES [ROWS] [ROUNDS]; PICTURES: a folder of photographs.
$FORMATS_PYTHON is the Python of the environment that has img2dataset. Fails below a ratio of 1.
"""
import glob, os, pathlib, statistics, subprocess, sys, tempfile, time

import pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq

SERVER = pathlib.Path(__file__).parent.parent / 'tests/download/bad_server.py'
IMG2DATASET = '''
import sys, img2dataset
url_list, output_folder, reencodes, processes, threads, retries = sys.argv[1:]
img2dataset.download(url_list=url_list, input_format='parquet', url_col='url', caption_col='text',
                     output_folder=output_folder, output_format='webdataset', resize_mode='no',
                     disable_all_reencoding=reencodes == 'plain', processes_count=int(processes),
                     thread_count=int(threads), number_sample_per_shard=1000, enable_wandb=False,
                     compute_hash='sha256', retries=int(retries))
'''
# How img2dataset is run, the retries of both, in words, rounds at the most, and whether the ratio is held. Not with
# retries: a third of the bad URLs gets them, and only our own wait before each, some seconds after the last row.
COMPARISONS = [('plain', 0, 'bytes as they come, one try', 5, True),
               ('plain', 2, 'bytes as they come, three tries', 3, False),
               ('encode', 0, 'decoded and encoded anew, one try', 1, True)]
CORES = os.cpu_count()
CONNECTIONS = [32, 128]
PROCESSES = [(CORES, 32), (CORES, 64), (2 * CORES, 16)]  # and threads of each


class Bench:
    def __init__(self, program, pictures, folder, count):
        self.program, self.folder = program, folder
        self.server = subprocess.Popen([sys.executable, SERVER, '--pictures', pictures], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        host = f'http://127.0.0.1:{int(self.server.stdout.readline())}'
        names = sorted(name for name in os.listdir(pictures) if name.lower().endswith(('.jpg', '.jpeg', '.png')))
        bad = ('not_found', 'html', 'broken')
        urls = [f'{host}/{bad[i // 10 % 3]}/{i}' if i % 10 == 9 else f'{host}/file/{names[i % len(names)]}?{i}'
                for i in range(count)]
        self.good = sum('/file/' in url for url in urls)
        pq.write_table(pa.table({'url': urls, 'text': [f'picture {i}' for i in range(count)]}), f'{folder}/list.parquet')

    def ours(self, setting, retries, _):
        return [self.program, 'fetch', f'{self.folder}/list.parquet', '-o', f'{self.folder}/out',
                '--allow-address', '127.0.0.1', '--connections', str(setting), '--per-host', str(setting),
                '--retries', str(retries)]

    def peer(self, setting, retries, mode):
        return [os.environ['FORMATS_PYTHON'], '-c', IMG2DATASET, f'{self.folder}/list.parquet',
                f'{self.folder}/out', mode, *map(str, setting), str(retries)]

    def server_time(self):
        user, system = pathlib.Path(f'/proc/{self.server.pid}/stat').read_text().rsplit(')')[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf('SC_CLK_TCK')

    def run(self, command, name):
        """Good pictures per second. Pages of HTML, which img2dataset takes for pictures, are none."""
        start, served = time.monotonic(), self.server_time()
        with open(f'{self.folder}/log', 'w') as log:
            subprocess.run(command, check=True, stdout=log, stderr=log)
        seconds = time.monotonic() - start
        busy = (self.server_time() - served) / seconds
        fetched = 0
        for path in glob.glob(f'{self.folder}/out/*.parquet'):
            rows = pq.read_table(path, columns=['url', 'status'])
            fetched += pc.sum(pc.and_(pc.match_substring(rows['url'], '/file/'), pc.equal(rows['status'], 'success'))).as_py()
        subprocess.run(['rm', '-rf', f'{self.folder}/out'], check=True)
        print(f'{name}: {fetched} of {self.good} good, {fetched / seconds:.0f}/s, the server busy {busy:.0%} of the time',
              flush=True)
        return fetched / seconds

    def best(self, make, settings):
        return max(settings, key=lambda setting: self.run(make(setting, 0, 'plain'), f'settings {setting}'))


def main(program, pictures, count=20000, rounds=5):
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(program, pictures, folder, count)
        mine, theirs = bench.best(bench.ours, CONNECTIONS), bench.best(bench.peer, PROCESSES)
        print(f'best: {mine} connections; img2dataset {theirs[0]} processes of {theirs[1]} threads')
        failed = False
        for mode, retries, what, times, is_held in COMPARISONS:
            name, ratios = f'img2dataset, {what}', []
            for number in range(min(times, rounds)):
                pair = [(bench.ours, mine, 'diptych fetch'), (bench.peer, theirs, name)]
                if number % 2:
                    pair.reverse()
                speed = {each: bench.run(make(setting, retries, mode), each) for make, setting, each in pair}
                ratios.append(speed['diptych fetch'] / speed[name])
            ratio = statistics.median(ratios)
            failed |= is_held and ratio < 1
            print(f'diptych fetch / {name}: {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})', flush=True)
        bench.server.stdin.close()
        bench.server.wait()
    sys.exit(failed)


if __name__ == '__main__':
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
