"""Certificates for test servers, signed by an authority that nobody else knows."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.server import find_program

EXTENSIONS = """\
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[member]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
[req]
distinguished_name = nobody
[nobody]
"""
LOOPBACK = "IP:127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """Two files in PEM; the key is readable by its owner alone."""

    certificate_file: Path
    key_file: Path


class Authority:
    """Its files lie in `folder` and end with it; each authority trusts only itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)
        own = self._request("authority", names=LOOPBACK)
        self.ca_file = own.certificate_file
        self._key_file = own.key_file
        self._sign("authority", "-signkey", str(own.key_file))

    def issue(self, name: str, *, names: str = LOOPBACK) -> Certificate:
        """A certificate for a server or a client called `name`, valid at `names`."""
        member = self._request(name, names=names)
        signer = ["-CA", str(self.ca_file), "-CAkey", str(self._key_file), "-CAcreateserial"]
        self._sign(name, *signer)
        return member

    def _request(self, name: str, *, names: str) -> Certificate:
        self._file(name, "cnf").write_text(EXTENSIONS.format(names=names))
        made = Certificate(self._file(name, "pem"), self._file(name, "key"))
        self._openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-config", str(self._file(name, "cnf")), "-subj", f"/CN={name}"),
            *("-keyout", str(made.key_file), "-out", str(self._file(name, "csr"))),
        )
        return made

    def _sign(self, name: str, *signer: str) -> None:
        section = "authority" if "-signkey" in signer else "member"
        self._openssl(
            *("x509", "-req", "-in", str(self._file(name, "csr")), *signer, "-days", "2"),
            *("-extfile", str(self._file(name, "cnf")), "-extensions", section),
            *("-out", str(self._file(name, "pem"))),
        )

    def _file(self, name: str, kind: str) -> Path:
        return self._folder / f"{name}.{kind}"

    def _openssl(self, *arguments: str) -> None:
        program = find_program(["openssl"], install="the package openssl")
        finished = subprocess.run([program, *arguments], capture_output=True, text=True)
        assert finished.returncode == 0, f"openssl failed:\n{finished.stderr}"
