"""What is in `deploy/` fits together, and says what the pages say. Where a tool is installed it judges, too."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from timbot.cli import exits, main
from timbot.config import Config, WatchdogConfig, load, seconds

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
USER = 10001
FATAL = {exits.KICKED_OUT, exits.LOGIN_REFUSED, exits.CONFIG}


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


# The configuration all three share


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What .env.example says, and a key."""
    for line in read(".env.example").splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)
    key = tmp_path / "tim-secret-key"
    key.write_text("0123456789abcdef" * 4)
    monkeypatch.setenv("TIMBOT_SECRET_KEY_FILE", str(key))
    return key


@pytest.fixture
def config(environment: Path) -> Config:
    return load(DEPLOY / "config.yaml")


@pytest.mark.usefixtures("environment")
def test_the_configuration_is_fine_with_the_example_s_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(DEPLOY / "config.yaml")]) == exits.OK
    assert "is fine: bot" in capsys.readouterr().out


def test_it_says_what_is_missing_without_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in os.environ if name.startswith(("TIM_", "TIMBOT_"))]:
        monkeypatch.delenv(name)
    assert main(["check", str(DEPLOY / "config.yaml")]) == exits.CONFIG
    told = capsys.readouterr().err
    assert "TIM_SDK_APP_ID" in told
    assert "TIM_USER_ID" in told


def test_it_is_a_production_one(config: Config) -> None:
    assert config.endpoint == "china"
    assert config.durability == "full"
    assert config.log.texts is False
    assert str(config.state) == "/data"
    assert config.http
    assert config.http.host == "127.0.0.1"


def test_there_is_no_secret_in_any_of_the_files() -> None:
    for file in DEPLOY.iterdir():
        if file.is_file():
            assert not re.search(r"\b[0-9a-f]{64}\b|eJ[A-Za-z0-9*_-]{40,}", file.read_text(encoding="utf-8")), file


def test_what_holds_secrets_is_never_committed() -> None:
    assert {"/.env", "/secrets/"} <= set(read(".gitignore").split())


# The image


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", read("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def last(word: str) -> str:
    return [rest for name, rest in instructions() if name == word][-1]


def test_the_image_is_built_in_two_stages_and_keeps_no_tools() -> None:
    assert [rest.split(" AS ")[1:] for word, rest in instructions() if word == "FROM"] == [["build"], []]
    removed = last_uninstall()
    assert {"pip", "hatchling"} <= removed
    assert not removed & runtime_packages()


def last_uninstall() -> set[str]:
    (found,) = re.findall(r"pip uninstall --yes ([^&]+)", read("Dockerfile").replace("\\\n", " "))
    return set(found.split())


def runtime_packages() -> set[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (block,) = re.findall(r"^dependencies = \[(.*?)^\]", text, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r'"([a-z0-9-]+)', block))


def test_packages_come_by_their_hashes() -> None:
    assert "--require-hashes" in read("Dockerfile")
    assert "--no-deps" in read("Dockerfile")
    lock = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", lock) if "==" in entry.split("\n")[0])
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE))
    assert runtime_packages() <= locked


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    allowed = {line[1:] for line in read("Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            *sources, _target = rest.split()
            for source in sources:
                assert (ROOT / source).exists(), source
                assert source in allowed, source
    assert read("Dockerfile.dockerignore").splitlines()[0] == "*"


def test_the_program_s_own_files_are_all_in_the_image() -> None:
    copied = {source for word, rest in instructions() if word == "COPY" for source in rest.split()[:-1]}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wheel = text[text.index("[tool.hatch.build.targets.wheel]") : text.index("[tool.hatch.build.targets.sdist]")]
    needed = {name.split("/")[0] for name in re.findall(r'"([^"]+)"', wheel)}
    needed |= {"README.md", "LICENSE"}
    assert {name for name in needed if (ROOT / name).exists()} <= copied


def test_the_image_runs_as_nobody_in_particular() -> None:
    assert last("USER") == f"{USER}:{USER}"
    assert last("VOLUME") == "/data"
    assert last("ENTRYPOINT") == '["timbot"]'
    assert last("CMD") == '["run", "/config/config.yaml"]'
    assert 'CMD ["timbot", "health", "/config/config.yaml"]' in last("HEALTHCHECK")


# Compose


@pytest.fixture(scope="module")
def service() -> Any:
    return yaml.safe_load(read("compose.yaml"))["services"]["timbot"]


def test_the_container_is_locked_down(service: Any) -> None:
    assert service["read_only"] is True
    assert service["user"] == f"{USER}:{USER}"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert {"pids_limit", "mem_limit"} <= service.keys()


def test_what_the_compose_file_refers_to_is_there(service: Any) -> None:
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    top = yaml.safe_load(read("compose.yaml"))
    assert set(service["secrets"]) <= top["secrets"].keys()
    mounts = dict(volume.split(":")[:2] for volume in service["volumes"])
    assert mounts == {"./config.yaml": "/config/config.yaml", "data": "/data"}
    assert top["volumes"].keys() == {"data"}


def test_the_container_is_not_started_for_ever_nor_twice(service: Any) -> None:
    assert re.fullmatch(r"on-failure:\d", service["restart"])
    assert service["deploy"]["replicas"] == 1


def test_the_port_is_published_to_this_machine_only(service: Any, config: Config) -> None:
    assert config.http
    assert service["ports"] == [f"127.0.0.1:{config.http.port}:{config.http.port}"]
    assert service["environment"] == {"TIMBOT_HTTP_HOST": "0.0.0.0"}


# systemd


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
    parser.read_string(read("timbot.service"))
    return parser


def test_what_would_not_help_is_not_tried_again(unit: configparser.ConfigParser) -> None:
    assert set(map(int, unit["Service"]["RestartPreventExitStatus"].split())) == FATAL
    assert unit["Service"]["Restart"] == "on-failure"


def test_what_may_help_is_tried_again_but_not_for_ever(unit: configparser.ConfigParser) -> None:
    prevented = set(map(int, unit["Service"]["RestartPreventExitStatus"].split()))
    assert not prevented & {exits.BLOCKED, exits.STORE, exits.UNAVAILABLE, exits.FAILED}
    window, most = seconds(unit["Unit"]["StartLimitIntervalSec"].replace("min", "m")), int(unit["Unit"]["StartLimitBurst"])
    assert most * seconds(unit["Service"]["RestartSec"]) < window, "or the limit would never be met"


def test_a_bot_that_is_blocked_or_kicked_out_ends_by_itself(config: Config) -> None:
    assert isinstance(config.watchdog, WatchdogConfig)
    assert config.watchdog.warn_after < config.watchdog.exit_after
    assert config.on_kick == "exit"


def test_the_key_is_handed_over_by_systemd(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    name, _, path = service["LoadCredential"].partition(":")
    assert path == f"/etc/timbot/{name}"
    given = dict(item.split("=", 1) for item in shlex.split(service["Environment"]))
    assert given["TIMBOT_SECRET_KEY_FILE"] == f"%d/{name}"
    assert given["TIMBOT_STATE"] == f"%S/{service['StateDirectory']}"


ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")


@pytest.fixture
def unit_file(tmp_path: Path) -> Path:
    """The unit with a program that exists here."""
    file = tmp_path / "timbot.service"
    file.write_text(read("timbot.service").replace("/opt/timbot/bin/timbot", shutil.which("true") or "/bin/true"))
    return file


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, timeout=60, check=False)


@needs_systemd
def test_systemd_finds_nothing_wrong(unit_file: Path) -> None:
    done = analyze("verify", "--man=no", str(unit_file))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_systemd_finds_it_hardened(unit_file: Path) -> None:
    done = analyze("security", "--offline=true", "--no-pager", str(unit_file))
    (level,) = re.findall(r"Overall exposure level for timbot\.service: ([\d.]+)", done.stdout)
    assert float(level) <= 1.5


# Kubernetes


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    return {item["kind"]: item for item in yaml.safe_load_all(read("kubernetes.yaml"))}


@pytest.fixture(scope="module")
def pod(objects: dict[str, Any]) -> Any:
    return objects["Deployment"]["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod: Any) -> Any:
    (only,) = pod["containers"]
    return only


def test_there_is_one_and_never_two(objects: dict[str, Any]) -> None:
    spec = objects["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_the_pod_is_locked_down(pod: Any, container: Any) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False  # a service named timbot would put TIMBOT_... into the environment
    everyone = {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER}
    assert everyone.items() <= pod["securityContext"].items()
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]


def test_probes_ask_what_they_should(container: Any, config: Config) -> None:
    assert config.http
    assert [port["containerPort"] for port in container["ports"]] == [config.http.port]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/healthz"}
    assert {"name": "TIMBOT_HTTP_HOST", "value": "0.0.0.0"} in container["env"]  # the node asks, not the pod


def test_everything_that_is_mounted_is_there(objects: dict[str, Any], pod: Any, container: Any, config: Config) -> None:
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert volumes.keys() == mounts.keys()
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == objects["PersistentVolumeClaim"]["metadata"]["name"]
    assert mounts["data"] == str(config.state)
    assert mounts["key"] == "/run/secrets"
    generated = yaml.safe_load(read("kustomization.yaml"))
    made = {item["name"] for kind in ("configMapGenerator", "secretGenerator") for item in generated[kind]}
    assert {volumes["config"]["configMap"]["name"], volumes["key"]["secret"]["secretName"]} <= made
    assert {source["configMapRef"]["name"] for source in container["envFrom"]} <= made
    assert generated["resources"] == ["kubernetes.yaml"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_puts_it_together(tmp_path: Path) -> None:
    for name in ("kubernetes.yaml", "kustomization.yaml", "config.yaml"):
        (tmp_path / name).write_text(read(name), encoding="utf-8")
    (tmp_path / ".env").write_text(read(".env.example"), encoding="utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "tim-secret-key").write_text("a-key-for-a-test-only")
    done = subprocess.run(["kubectl", "kustomize", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    made = {item["kind"] for item in yaml.safe_load_all(done.stdout)}
    assert made == {"ConfigMap", "Secret", "PersistentVolumeClaim", "Deployment"}


# Time to stop


def test_whatever_kills_waits_longer_than_the_bot_needs(
    config: Config, service: Any, unit: configparser.ConfigParser, pod: Any
) -> None:
    needed = config.grace + 10  # logging out, and closing what is open
    assert seconds(service["stop_grace_period"]) > needed
    assert seconds(unit["Service"]["TimeoutStopSec"]) > needed
    assert pod["terminationGracePeriodSeconds"] > needed


# The pages


@pytest.mark.parametrize("page", ["docker", "systemd", "kubernetes"])
def test_each_has_a_page_that_says_how_to_check_it_and_what_was_not_run(page: str) -> None:
    text = (ROOT / "docs" / "deploy" / f"{page}.md").read_text(encoding="utf-8")
    for heading in ("## Prepare", "## Run", "## Check that it works", "## What was run, and what was not"):
        assert heading in text
    assert "**Not run**" in text


@pytest.mark.parametrize("page", ["operation.md", "deploy/docker.md", "deploy/systemd.md", "deploy/kubernetes.md"])
def test_links_and_paths_of_the_pages_lead_somewhere(page: str) -> None:
    file = ROOT / "docs" / page
    text = file.read_text(encoding="utf-8")
    for link, anchor in re.findall(r"\]\(([^)#]+)(#[^)]*)?\)", text):
        target = file.parent / link
        assert target.is_file(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert not anchor or anchor[1:] in {heading.lower().replace(" ", "-") for heading in headings}, anchor
    for path in re.findall(r"`((?:deploy|requirements|docs)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
