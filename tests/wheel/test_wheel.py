"""The wheel, installed in an environment that has nothing else: a newcomer's `pip install timbot`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]


CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def call(*command: object, cwd: Path) -> str:
    """Run a command to its end; what it printed."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=CLEAN, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def timbot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command."""
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    pip = [folder / "env" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    call(*pip, "--require-hashes", "-r", ROOT / "requirements" / "run.txt", cwd=folder)
    call(*pip, "--no-deps", wheel, cwd=folder)
    return folder / "env" / "bin" / "timbot"


@pytest.fixture
def config(timbot: Path, tmp_path: Path) -> Path:
    """The example that comes with it, on ports that are free."""
    call(timbot, "new", "config", "bot.yaml", cwd=tmp_path)
    file = tmp_path / "bot.yaml"
    file.write_text(re.sub(r"port: \d+", "port: 0", file.read_text()))
    return file


@pytest.fixture
def url(timbot: Path, config: Path) -> Iterator[str]:
    """The address of the example's sandbox, while it runs; it has to stop cleanly."""
    command = [str(timbot), "run", str(config)]
    with subprocess.Popen(command, cwd=config.parent, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        try:
            told = ""
            while "Ctrl-C" not in told:
                line = running.stderr.readline()
                assert line, told
                told += line
            drain = threading.Thread(target=running.stderr.read)
            drain.start()
            found = re.search(r"ws://\S+", told)
            assert found, told
            yield found[0]
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 0
        finally:
            running.kill()
        drain.join()


def test_the_example_runs_and_answers(timbot: Path, url: str, tmp_path: Path) -> None:
    command = [str(timbot), "chat", "--as", "alice", "--url", url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=CLEAN, stdin=pipe, stdout=pipe, text=True) as chat:
        assert chat.stdin is not None
        assert chat.stdout is not None
        chat.stdin.write("hello\n/dice 2 6\n")
        chat.stdin.flush()  # and it stays open: where it ends, a talk waits for a moment only
        answers = [chat.stdout.readline() for _ in range(2)]
        more, _ = chat.communicate()
    assert chat.returncode == 0
    assert [answer.startswith("Timbot: ") for answer in answers] == [True, True], answers
    assert "Timbot: " not in more


def test_the_example_is_fine_and_its_schema_is_there(timbot: Path, config: Path) -> None:
    assert "is fine" in call(timbot, "check", config, cwd=config.parent)
    schema = re.match(r"# yaml-language-server: \$schema=(\S+)", config.read_text())
    assert schema
    assert (config.parent / schema[1]).is_file()


def test_a_new_plugin_passes_its_test(timbot: Path, tmp_path: Path) -> None:
    call(timbot, "new", "plugin", "my-first", cwd=tmp_path)
    made = tmp_path / "my-first"
    # With this project's pytest and the installed timbot.
    site = next((timbot.parents[1] / "lib").glob("python*/site-packages"))
    call(sys.executable, "-c", _TEST.format(site=str(site)), cwd=made)
    assert "is fine" in call(timbot, "check", "config.yaml", cwd=made)


_TEST = "import sys; sys.path.insert(0, {site!r}); import pytest; sys.exit(pytest.main(['-q', '-p', 'no:asyncio']))"
