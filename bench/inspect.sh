#!/usr/bin/env bash
# Holds the inspector to its whole bars, of which `make test` runs smaller forms: 1,000 copies
# planted among 20,000 different pictures.
# Usage: bench/inspect.sh [BUILD]
set -euo pipefail
build=${1:-$(dirname "$0")/../build/release}
DIPTYCH_WHOLE_BARS=1 "$build/diptych_data_test" --gtest_filter='Planted.*' | grep -E 'copies|FAILED'
