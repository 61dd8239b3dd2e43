#!/usr/bin/env bash
# Brings a Debian 12 machine to where Diptych builds and is tested: apt packages, a .venv with
# libtorch and Arrow, a .venv-formats with the tools whose layouts the tests read. Idempotent; does
# nothing, at once, when nothing is missing.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
wanted=$(cat setup/apt-packages.txt setup/requirements*.txt setup/setup.sh | sha256sum)
stamp=.venv/.setup-done
packages=$(grep -vE '^\s*(#|$)' setup/apt-packages.txt)

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi

missing=()
for package in $packages; do
  [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = 'install ok installed' ] ||
    missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "setup: these packages are missing; install them as root: apt-get install ${missing[*]}" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  echo "setup: installing with apt: ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

install_into() {
  [ -x "$1/bin/python" ] || /usr/bin/python3 -m venv "$1"
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2" >&2
}
echo "setup: libtorch and Arrow into .venv" >&2
install_into .venv setup/requirements.txt
echo "setup: the tools of the layout tests into .venv-formats" >&2
install_into .venv-formats setup/requirements-formats.txt
echo "$wanted" >"$stamp"
echo "setup: done" >&2
