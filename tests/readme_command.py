"""Prints a command of the README, so that what is tested is what is written there.

python tests/readme_command.py quickstart
python tests/readme_command.py test
"""

import re
import sys
from pathlib import Path

MARKS = {"quickstart": "examples/quickstart.py", "test": "pytest"}


def command(name: str) -> str:
    readme = Path(__file__).parent.parent / "README.md"
    blocks = re.findall(r"```bash\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if "pip install" in line]
    return next(line for line in lines if MARKS[name] in line)


if __name__ == "__main__":
    print(command(sys.argv[1]))
