"""Who takes part in ``tests.benchmarks.bench``, and the environments that they run in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.peers import orders

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / ".cache" / "bench"
NAIVE: Final = "boto3 + pydantic"


@dataclass(frozen=True, slots=True)
class Contender:
    """One that takes part.

    Attributes:
        name: what the table calls it.
        environment: the environment that it runs in.
        script: its program in ``peers/contenders``.
        kind: what the program is told to be.
        imports: what is imported for it, for the time of that.
        extra: attributes that its rows need.
        reference: whether it is no client that anyone could use; it is in the first table alone, and in no picture.
    """

    name: str
    environment: str
    script: str
    kind: str = ""
    imports: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Environment:
    """What is installed for contenders.

    Attributes:
        packages: what pip installs.
        python: the oldest Python that they take.
    """

    packages: tuple[str, ...]
    python: tuple[int, int] = (3, 11)


ENVIRONMENTS: Final[dict[str, Environment]] = {
    "boto3": Environment(("boto3", "pydantic")),
    "aiobotocore": Environment(("aiobotocore", "boto3", "pydantic")),
    "pynamodb": Environment(("pynamodb",)),
    "dyntastic": Environment(("dyntastic",)),
    "pydynantic": Environment(("pydynantic",)),
    "pydynox": Environment(("pydynox",)),
    "dynamoxy": Environment(("dynamoxy",), python=(3, 12)),
    "aiodynamo": Environment(("aiodynamo[aiohttp]",)),
    "aioboto3": Environment(("aioboto3", "pydantic")),
}
"""Each has the name of the package that it is there for. logicaldb is found by ``PYTHONPATH``, so no copy of it can be old."""

CONTENDERS: Final = (
    Contender(NAIVE, "boto3", "with_boto3", "naive", "boto3, pydantic"),
    Contender("boto3, dicts", "boto3", "with_boto3", "dicts", "boto3"),
    Contender("boto3 Table + pydantic", "boto3", "with_boto3", "table"),
    Contender("logicaldb", "boto3", "with_logicaldb", "client", "logicaldb"),
    Contender("logicaldb, own client", "boto3", "with_logicaldb", "own"),
    Contender("logicaldb, direct", "boto3", "with_logicaldb", "direct"),
    Contender("logicaldb, aiobotocore", "aiobotocore", "with_logicaldb", "aiobotocore"),
    Contender("pynamodb", "pynamodb", "with_pynamodb", imports="pynamodb.models"),
    Contender("dyntastic", "dyntastic", "with_dyntastic", imports="dyntastic"),
    Contender(
        "pydynantic",
        "pydynantic",
        "with_pydynantic",
        imports="pydynantic",
        extra={"__entity__": "order", "customer": orders.CUSTOMER, "number": "0001"},
    ),
    Contender("pydynox (Rust)", "pydynox", "with_pydynox", imports="pydynox"),
    Contender("dynamoxy (Rust)", "dynamoxy", "with_dynamoxy", imports="dynamoxy"),
    Contender("aiodynamo, dicts", "aiodynamo", "with_aiodynamo", imports="aiodynamo.client"),
    Contender("aioboto3 + pydantic", "aioboto3", "with_aioboto3", imports="aioboto3, pydantic"),
    Contender("floor: raw socket, dicts", "boto3", "with_floor", reference=True),
)


def python_of(name: str) -> Path | None:
    """The Python of an environment, which is made if it is not there; ``None`` if this machine has no Python for it."""
    environment = ENVIRONMENTS[name]
    folder = CACHE / name
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join(environment.packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    base = _python(environment.python)
    if base is None:
        least = ".".join(map(str, environment.python))
        print(f"{name} is left out: it needs Python {least} or later, and there is none on the PATH", file=sys.stderr)
        return None
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([base, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", *environment.packages], check=True)
    stamp.write_text(wanted)
    return python


def _python(least: tuple[int, int]) -> str | None:
    if sys.version_info >= least:
        return sys.executable
    for minor in range(least[1], 20):
        found = shutil.which(f"python3.{minor}")
        # One that is found may be a stand-in of pyenv's for one that is not installed.
        if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
            return found
    return None


def versions(name: str) -> dict[str, str]:
    """The versions of Python and of what counts in an environment."""
    code = (
        "import json, sys\nfrom importlib.metadata import distributions\n"
        "found = {one.name.lower(): one.version for one in distributions()}\n"
        f"names = [one for one in {[name, 'boto3', 'botocore', 'pydantic']} if one in found]\n"
        "print(json.dumps({'Python': sys.version.split()[0], **{one: found[one] for one in names}}))"
    )
    output = subprocess.run([CACHE / name / "bin" / "python", "-c", code], check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(output.stdout)
    return found
