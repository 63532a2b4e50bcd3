#!/usr/bin/env bash
# Builds the environments that modal_interp supports and runs the tests in each.
#
#   tests/environments.sh                 all of them
#   tests/environments.sh newest          one or several by name
#
#   tested       constraints.txt: modAL 0.4.1, scikit-learn 1.7, numpy 1.26
#   tested-0.4.2 the same with modAL 0.4.2.1
#   newest       the newest of everything but torch: scikit-learn >= 1.9, numpy 2, modAL 0.4.2.1
#   newest-0.4.1 the same with modAL 0.4.1
#
# ENVIRONMENTS names the folder for the virtual environments (default: a temporary one, removed
# at the end), PYTHON the interpreter (default: python3.11, the version that constraints.txt was
# tested with).
set -euo pipefail
[ -z "${ENVIRONMENTS:-}" ] || ENVIRONMENTS=$(realpath -m "$ENVIRONMENTS")
cd "$(dirname "$0")/.."

python=${PYTHON:-python3.11}
if [ -z "${ENVIRONMENTS:-}" ]; then
    ENVIRONMENTS=$(mktemp -d)
    trap 'rm -rf "$ENVIRONMENTS"' EXIT
fi

build() {
    local bin="$ENVIRONMENTS/$1/bin"
    "$python" -m venv --clear "$ENVIRONMENTS/$1"
    case $1 in
        tested*) "$bin/pip" install --quiet -c constraints.txt -e '.[test]' ;;
        # Without scikit-learn-extra, which holds numpy below 2. torch is the tested one: a newer
        # one would bring its CUDA packages along.
        newest*) "$bin/pip" install --quiet torch==2.13.0 -e '.[test-tools]' ;;
    esac
    case $1 in
        *-0.4.1 | tested) "$bin/pip" install --quiet --no-deps modAL-python==0.4.1 ;;
        # 0.4.2.1 pins a skorch of 2020; without its pins it runs.
        *) "$bin/pip" install --quiet --no-deps modAL-python==0.4.2.1 ;;
    esac
}

[ $# -gt 0 ] || set -- tested tested-0.4.2 newest newest-0.4.1
for name in "$@"; do
    case $name in
        tested | tested-0.4.2 | newest | newest-0.4.1) ;;
        *) echo "unknown environment: $name" >&2; exit 2 ;;
    esac
done
for name in "$@"; do
    echo "== $name"
    build "$name"
    "$ENVIRONMENTS/$name/bin/python" -m pip list 2>/dev/null |
        grep -iE '^(modal-python|scikit-learn|scikit-learn-extra|skorch|torch|numpy|pandas) '
    "$ENVIRONMENTS/$name/bin/python" -m pytest -n auto
done
