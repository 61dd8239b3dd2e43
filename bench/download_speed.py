"""Good pictures per second from one list of a server on this machine, by diptych fetch and img2dataset
in turn: the same pictures, of ten URLs one without a picture. Whole commands are timed.

Usage: download_speed.py PROGRAM PICTURES [ROWS] [ROUNDS]; PICTURES: a folder of photographs.
$FORMATS_PYTHON is the Python of the environment that has img2dataset.
"""
import glob, json, os, pathlib, statistics, subprocess, sys, tempfile, time

import pyarrow as pa, pyarrow.parquet as pq

SERVER = pathlib.Path(__file__).parent.parent / 'tests/download/bad_server.py'
CONNECTIONS = 128
IMG2DATASET = '''
import sys, img2dataset
img2dataset.download(url_list=sys.argv[1], input_format='parquet', url_col='url', caption_col='text',
                     output_folder=sys.argv[2], output_format='webdataset', resize_mode='no',
                     disable_all_reencoding=sys.argv[3] == 'plain', processes_count={cores}, thread_count={threads},
                     number_sample_per_shard=1000, enable_wandb=False, compute_hash='sha256')
'''


def commands(program, folder):
    cores = os.cpu_count()
    script = IMG2DATASET.format(cores=cores, threads=CONNECTIONS // cores)
    peer = [os.environ['FORMATS_PYTHON'], '-c', script, f'{folder}/list.parquet']
    return {
        'diptych fetch, each picture decoded': lambda out: [
            program, 'fetch', f'{folder}/list.parquet', '-o', out, '--allow-address', '127.0.0.1',
            '--connections', str(CONNECTIONS), '--per-host', str(CONNECTIONS)],
        'img2dataset, each picture decoded and encoded': lambda out: [*peer, out, 'encode'],
        'img2dataset, bytes as they come': lambda out: [*peer, out, 'plain']}


def fetched(out):
    return sum(json.load(open(path))['successes'] for path in glob.glob(f'{out}/*_stats.json'))


def main(program, pictures, count=20000, rounds=3):
    names = sorted(name for name in os.listdir(pictures) if name.lower().endswith(('.jpg', '.jpeg', '.png')))
    server = subprocess.Popen([sys.executable, SERVER, '--pictures', pictures], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    url = f'http://127.0.0.1:{int(server.stdout.readline())}'
    bad = ('not_found', 'html', 'broken')
    urls = [f'{url}/{bad[i // 10 % 3]}/{i}' if i % 10 == 9 else f'{url}/file/{names[i % len(names)]}?{i}'
            for i in range(count)]
    good = sum('/file/' in url for url in urls)
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(pa.table({'url': urls, 'text': [f'picture {i}' for i in range(count)]}), f'{folder}/list.parquet')
        speeds = {name: [] for name in commands(program, folder)}
        for number in range(rounds):
            for name, command in commands(program, folder).items():
                out = f'{folder}/out'
                start = time.monotonic()
                with open(f'{folder}/log', 'w') as log:
                    subprocess.run(command(out), check=True, stdout=log, stderr=log)
                speeds[name].append(fetched(out) / (time.monotonic() - start))
                print(f'round {number + 1}: {name}: {fetched(out)} of {good} good, {speeds[name][-1]:.0f}/s', flush=True)
                subprocess.run(['rm', '-rf', out], check=True)
    server.stdin.close()
    server.wait()
    median = {name: statistics.median(each) for name, each in speeds.items()}
    for name, speed in median.items():
        print(f'{speed:8.0f} good pictures/s  {name}')
    ours, *peers = median.values()
    sys.exit(ours < max(peers))


if __name__ == '__main__':
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
