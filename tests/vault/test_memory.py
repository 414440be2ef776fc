"""What an erased person's values and keys leave in the memory of the process, looked at from outside (Linux).

Python wipes no text that it frees: until its place is used again, a value that was handled may lie there. What is
promised, and held here, is that nothing holds it any more, and that of the person's key not even that is left.
"""

import subprocess
import sys
from pathlib import Path

from tests.builders.remembering import hidden

ROOT = Path(__file__).parents[2]


def copies(process: int, needle: bytes) -> int:
    """How often these bytes stand in what a process may read."""
    found = 0
    with Path(f"/proc/{process}/maps").open() as maps, Path(f"/proc/{process}/mem").open("rb", 0) as memory:
        for line in maps:
            span, allowed, *rest = line.split()
            if allowed.startswith("rw") and not rest[-1].startswith("[v"):
                start, end = (int(place, 16) for place in span.split("-"))
                memory.seek(start)
                try:
                    found += (memory.read(end - start) or b"").count(needle)
                except OSError:
                    continue
    return found


def test_nothing_holds_an_erased_persons_value_and_their_key_is_nowhere(sqlite_url: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.builders.remembering", sqlite_url, str(tmp_path / "keys")]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            value, key, held = process.stdout.readline().split()
            secrets = [hidden(bytes.fromhex(each.decode())) for each in (value, key)]
            assert [copies(process.pid, each) > 0 for each in secrets] == [True, True], "the check would find them"
            assert int(held) > 0
            process.stdin.write(b"go on\n")
            process.stdin.flush()
            assert process.stdout.readline().split() == [b"0"], "something still refers to the value"
            assert copies(process.pid, secrets[1]) == 0
        finally:
            process.kill()
