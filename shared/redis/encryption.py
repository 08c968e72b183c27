"""How redis-py encrypts, whoever builds its client."""

from __future__ import annotations

from typing import Any

from shared.settings.server_faults import ENCRYPTED_SCHEMES, TlsSettings


def redis_encryption(scheme: str, files: TlsSettings) -> dict[str, Any]:
    """Options for a connection or a pool: certificate and host name are verified on `rediss://`.

    Empty on `redis://`, whose connections know none of them.
    """
    if scheme not in ENCRYPTED_SCHEMES:
        return {}
    return {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": files.ca_file,
        "ssl_certfile": files.certificate_file,
        "ssl_keyfile": files.key_file,
    }
