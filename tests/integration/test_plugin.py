"""The pytest plugin in runs of pytest of its own, as users have them."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from logicaldb.testing import DynamoDbLocal, find_emulator
from logicaldb.testing.clients import make_test_client

ROOT = Path(__file__).parents[2]
# Installed, as `make` does, logicaldb brings the plugin with it.
PLUGIN = () if entry_points(group="pytest11", name="logicaldb") else ("-p", "_logicaldb_pytest")

SUITE = """
import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from examples.music.models import AlbumTrack, AsyncMusicDb, MusicDb

KEY = AlbumTrack.Key("ALBUM_1", 1)
TRACK = AlbumTrack(album_token="ALBUM_1", track_number=1, track_title="Dogs", run_length=timedelta(minutes=17))

@pytest.mark.parametrize("number", range(2))
def test_each_has_tables_of_its_own(logical_db, dynamodb_client, number):
    db = logical_db(MusicDb)
    assert db.load(KEY) is None
    db.save(TRACK)
    assert db.load(KEY) == TRACK
    with Path("used").open("a") as used:
        used.write(f"{dynamodb_client.meta.endpoint_url} {db.music.table_name}\\n")

@pytest.mark.parametrize("number", range(2))
def test_an_asynchronous_db_too(logical_db, number):
    db = logical_db(AsyncMusicDb)
    async def save_and_load():
        assert await db.load(KEY) is None
        await db.save(TRACK)
    asyncio.run(save_and_load())
    assert logical_db(MusicDb).load(KEY) == TRACK

def test_uses_none():
    pass
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a suite that uses the plugin."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for variable in (
        "PYTEST_ADDOPTS",
        "LOGICALDB_DYNAMODB_ENDPOINT",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
    ):
        monkeypatch.delenv(variable, raising=False)
    pytester.makepyfile(test_suite=SUITE)
    return pytester


def run_pytest(run: pytest.Pytester, *options: str) -> pytest.RunResult:
    return run.runpytest_subprocess(*PLUGIN, "-p", "no:cacheprovider", "-W", "error", *options)


def used(run: pytest.Pytester) -> tuple[list[str], list[str]]:
    """The endpoints that were used, each once, and the tables."""
    lines = [line.split() for line in (run.path / "used").read_text().splitlines()]
    return sorted({endpoint for endpoint, _ in lines}), [table for _, table in lines]


def is_answering(endpoint: str) -> bool:
    client = make_test_client(endpoint, "us-east-1", retries={"total_max_attempts": 1})
    try:
        client.list_tables(Limit=1)
    except EndpointConnectionError:
        return False
    return True


def test_moto_is_the_default(run: pytest.Pytester) -> None:
    run_pytest(run, "-n", "2", "--dist=load").assert_outcomes(passed=5)
    endpoints, tables = used(run)
    assert endpoints == ["https://dynamodb.us-east-1.amazonaws.com"]
    assert len(set(tables)) == 2


def test_dynamodb_local_is_started_once_in_each_process_and_stopped(
    run: pytest.Pytester, dynamodb_local: DynamoDbLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", str(find_emulator()))
    # By their parameters: each of two workers is given one of the two tests that tell their endpoints.
    run.makeconftest("def pytest_collection_modifyitems(items): items.sort(key=lambda item: '[1]' in item.name)")
    run_pytest(run, "--dynamodb=local", "-n", "2", "--dist=load").assert_outcomes(passed=5)
    endpoints, tables = used(run)
    assert len(endpoints) == len(set(tables)) == 2
    assert dynamodb_local.endpoint_url not in endpoints
    assert [endpoint for endpoint in endpoints if is_answering(endpoint)] == []


DOCKER = f"""#!{sys.executable}
import os, signal, subprocess, sys
match sys.argv[1:]:
    case ["image", "inspect", image]:
        assert image.startswith("amazon/dynamodb-local:")
    case ["run", "--rm", "--name", name, "--publish", published, image, *arguments]:
        port = published.removeprefix("127.0.0.1:").removesuffix(":8000")
        command = [os.environ["JAVA_OF_THE_IMAGE"], *arguments, "-port", port]
        container = subprocess.Popen(command, cwd=os.environ["FOLDER_OF_THE_IMAGE"], start_new_session=True)
        with open(os.environ["CONTAINER"], "w") as file:
            file.write(str(container.pid))
        container.wait()
    case ["rm", "--force", name]:
        with open(os.environ["CONTAINER"]) as file:
            os.kill(int(file.read()), signal.SIGKILL)
"""


def test_without_java_it_runs_in_docker(
    run: pytest.Pytester,
    dynamodb_local: DynamoDbLocal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A ``docker`` of ours runs the command of the image in the folder of the image, but without a container."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("DynamoDBLocal.jar", "DynamoDBLocal_lib"):
        (folder / name).symlink_to(find_emulator() / name)
    tool = tmp_path / "bin" / "docker"
    tool.parent.mkdir()
    tool.write_text(DOCKER)
    tool.chmod(0o755)
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("JAVA_OF_THE_IMAGE", shutil.which("java") or "")
    monkeypatch.setenv("FOLDER_OF_THE_IMAGE", str(folder))
    monkeypatch.setenv("CONTAINER", str(tmp_path / "container"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("LOGICALDB_DYNAMODB_LOCAL", raising=False)
    run_pytest(run, "--dynamodb=local").assert_outcomes(passed=5)
    endpoints, tables = used(run)
    assert len(endpoints) == 1
    assert len(set(tables)) == 2
    assert dynamodb_local.endpoint_url not in endpoints
    assert not is_answering(endpoints[0])


def test_an_endpoint_that_runs_is_shared_and_left_as_it_was(
    run: pytest.Pytester, dynamodb_local: DynamoDbLocal
) -> None:
    run.makeini(f"[pytest]\ndynamodb = {dynamodb_local.endpoint_url}")
    run_pytest(run, "-n", "2", "--dist=load").assert_outcomes(passed=5)
    endpoints, tables = used(run)
    assert endpoints == [dynamodb_local.endpoint_url]
    assert len(set(tables)) == 2
    client = dynamodb_local.client()
    for table in tables:
        assert table.startswith("music_items-")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.describe_table(TableName=table)


def test_the_command_line_wins_over_the_file(run: pytest.Pytester) -> None:
    run.makeini("[pytest]\ndynamodb = http://127.0.0.1:9")
    run.runpytest_inprocess(*PLUGIN, "--dynamodb=moto").assert_outcomes(passed=5)
    assert used(run)[0] == ["https://dynamodb.us-east-1.amazonaws.com"]


@pytest.mark.parametrize(
    "choice",
    [
        "motto",
        "LOCAL",
        "127.0.0.1:8000",
        "localhost:8000",
        "http://",
        "http://127.0.0.1:0",
        "http://127.0.0.1:port",
        "http://[::1",
        "file:///tmp",
    ],
)
@pytest.mark.parametrize("by_file", [False, True])
def test_a_wrong_choice_is_refused_before_any_test(run: pytest.Pytester, choice: str, by_file: bool) -> None:
    if by_file:
        run.makeini(f"[pytest]\ndynamodb = {choice}")
    result = run.runpytest_inprocess(*PLUGIN, *([] if by_file else [f"--dynamodb={choice}"]))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        f"ERROR: --dynamodb (or dynamodb in the configuration file) is {choice!r}: write moto, local, or the URL of a "
        "DynamoDB that runs, such as http://127.0.0.1:8000"
    )
    assert not (run.path / "used").exists()


@pytest.mark.parametrize(
    "choice", ["http://127.0.0.1:8000", "https://dynamodb.example.com", "http://[::1]:8000", "http://localhost/x"]
)
def test_every_address_is_a_choice(run: pytest.Pytester, choice: str) -> None:
    """Nothing is sent to it before a test asks for it."""
    result = run.runpytest_inprocess(*PLUGIN, f"--dynamodb={choice}", "-k", "none")
    result.assert_outcomes(passed=1, deselected=4)


def test_what_is_missing_is_told_by_the_tests_that_need_it(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.delenv("LOGICALDB_DYNAMODB_LOCAL", raising=False)
    result = run_pytest(run, "--dynamodb=local", "-k", "tables_of_its_own or none")
    result.assert_outcomes(passed=1, errors=2, deselected=2)
    told = (
        "--dynamodb=local: DynamoDB Local needs Java or Docker, and neither is on the PATH: install a JRE, 8 or later"
    )
    lines = result.outlines
    first = lines.index("_____________ ERROR at setup of test_each_has_tables_of_its_own[0] _____________")
    assert lines[first + 1 : first + 4 : 2] == [told, told]
    assert "Traceback" not in result.stdout.str()


def test_a_run_that_uses_no_fixture_imports_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin is loaded in every run of whoever has installed logicaldb, and before coverage is measured."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            assert "_logicaldb_pytest" in sys.modules
            assert {"logicaldb", "pydantic", "boto3", "botocore", "moto"} & set(sys.modules) == set()
        """
    )
    pytester.runpytest_subprocess(*PLUGIN, "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_fixture_of_the_users_own_takes_the_place_of_the_client(run: pytest.Pytester) -> None:
    run.makeconftest(
        """
        import pytest
        from logicaldb.testing import in_process_dynamodb

        @pytest.fixture
        def dynamodb_client():
            with in_process_dynamodb("eu-west-1") as client:
                yield client
        """
    )
    run.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=5)
    assert used(run)[0] == ["https://dynamodb.eu-west-1.amazonaws.com"]
