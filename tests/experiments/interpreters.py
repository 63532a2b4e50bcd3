"""Interpreters with hashes of their own that have the package loaded, and fork for each program.

To start one takes seconds, nearly all of them torch's; to fork a process of it takes none. What
a program imports beside the package and its dependencies is imported anew.
"""

import json
import os
import subprocess
import sys
import traceback
import types
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Interpreter:
    """A Python with this PYTHONHASHSEED."""

    def __init__(self, seed):
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-W", "ignore", __file__],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, source, folder, script=None):
        """Return what a program prints that is run in a folder, as `script` or by ``-c``."""
        self.process.stdin.write(json.dumps([source, str(folder), script]) + "\n")
        self.process.stdin.flush()
        status, said = json.loads(self.process.stdout.readline())
        assert status == 0, said
        return said

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def _serve():
    import modal_interp.experiments  # noqa: F401

    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            _run(write, *json.loads(line))
        os.close(write)
        with os.fdopen(read) as said:
            printed = said.read()
        status = os.waitpid(child, 0)[1]
        print(json.dumps([status, printed]), flush=True)


def _run(write, source, folder, script):
    """Run a program as Python would, and end."""
    status = 1
    with os.fdopen(write, "w") as out, redirect_stdout(out):
        try:
            os.chdir(folder)
            sys.path[0] = folder
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            if script:
                main.__file__ = str(Path(folder) / script)
            exec(compile(source, (script and main.__file__) or "<string>", "exec"), vars(main))
            status = 0
        except BaseException:
            traceback.print_exc(file=out)
    os._exit(status)


if __name__ == "__main__":
    _serve()
