"""Forms in every order and cut are files; what is wrong with a bad one is said by its name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import permutations

import aiohttp

from tests.integration.ingress.conftest import MakeKey

from .conftest import Remains
from .forms import BAD_FORMS, END, PURPOSE, TYPE, expiry, file

NAMED = '日本-größe "a";b=c'
BAD_QUERIES = """
limit=0 limit=10001 limit=-1 limit=x order=up after=resp_1 after=file-%00 purpose=fun page=2
"""
CONTENT = b"\r\n--\r\n--b\0--b-\r\n--bb\r\n\r--b" + bytes(range(256))


async def _post(
    http: aiohttp.ClientSession, body: bytes | AsyncIterator[bytes], content_type: str = TYPE
) -> tuple[int, dict[str, object]]:
    async with http.post("/v1/files", data=body, headers={"Content-Type": content_type}) as answer:
        told: dict[str, object] = await answer.json()
        return answer.status, told


async def test_a_bad_form_is_refused_in_a_sentence_that_names_the_field(
    http: aiohttp.ClientSession, remains: Remains
) -> None:
    for name, form in BAD_FORMS.items():
        status, told = await _post(http, form.body, form.content_type)
        assert (status, list(told)) == (form.status, ["error"]), (name, told)
        error = told["error"]
        assert isinstance(error, dict)
        assert (error["param"], error["code"]) == (form.param, form.code), (name, error)
        assert error["message"].endswith("."), name
        assert form.param is None or form.param in error["message"], (name, error)
        assert (await remains.files(), await remains.held()) == (0, 0), name


async def test_a_compressed_form_is_refused(http: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": TYPE, "Content-Encoding": "gzip"}
    async with http.post("/v1/files", data=PURPOSE + file() + END, headers=headers) as answer:
        assert answer.status == 415
        assert (await answer.json())["error"]["param"] == "Content-Encoding"


async def test_the_fields_come_in_any_order(http: aiohttp.ClientSession) -> None:
    fields = (PURPOSE, file(CONTENT), expiry(b"created_at", b"2592000"))
    for order in permutations(fields):
        status, told = await _post(http, b"".join(order) + END)
        assert (status, told["purpose"], told["bytes"]) == (200, "vision", len(CONTENT)), told
        assert told["expires_at"] == told["created_at"] + 2_592_000  # type: ignore[operator]
        async with http.get(f"/v1/files/{told['id']}/content") as answer:
            assert await answer.read() == CONTENT


async def test_wherever_it_is_cut_on_its_way_it_is_the_same_file(
    http: aiohttp.ClientSession,
) -> None:
    escaped = NAMED.replace('"', '\\"').encode()
    whole = PURPOSE + file(CONTENT, filename=escaped) + END

    async def pieces(size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    for size in (1, 2, 7, 50):
        status, told = await _post(http, pieces(size))
        assert (status, told["filename"]) == (200, NAMED), told
        async with http.get(f"/v1/files/{told['id']}/content") as answer:
            assert await answer.read() == CONTENT
            assert answer.headers["content-length"] == str(len(CONTENT))
            assert answer.headers["x-content-type-options"] == "nosniff"
            named = answer.content_disposition
        assert named is not None
        assert (named.type, named.filename) == ("attachment", NAMED)


async def test_a_bad_query_is_refused_by_its_name(http: aiohttp.ClientSession) -> None:
    for query in BAD_QUERIES.split():
        async with http.get(f"/v1/files?{query}") as answer:
            assert answer.status == 400, query
            assert (await answer.json())["error"]["param"] == query.partition("=")[0]


async def test_files_of_another_tenant_do_not_exist(
    http: aiohttp.ClientSession, make_key: MakeKey
) -> None:
    _, told = await _post(http, PURPOSE + file() + END)
    other = {"Authorization": f"Bearer {await make_key('other')}"}
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        url = f"/v1/files/{told['id']}{path}"
        async with http.request(method, url, headers=other) as answer:
            assert answer.status == 404
            assert str(told["id"]) in (await answer.json())["error"]["message"]
    async with http.get("/v1/files", headers=other) as answer:
        page = await answer.json()
        assert (page["data"], page["has_more"]) == ([], False)
    async with http.get(f"/v1/files/{told['id']}") as answer:
        assert await answer.json() == told
    for unknown in ("file-1", "file-" + "0" * 32, "a%00b", "%ff", "resp_1"):
        async with http.get(f"/v1/files/{unknown}") as answer:
            assert answer.status == 404


async def test_without_a_key_nothing_is_read(http: aiohttp.ClientSession, remains: Remains) -> None:
    headers = {"Content-Type": TYPE, "Authorization": "Bearer fb_unknown"}
    async with http.post("/v1/files", data=PURPOSE + file() + END, headers=headers) as answer:
        assert answer.status == 401
    assert (await remains.files(), await remains.held()) == (0, 0)


async def test_head_of_a_content_is_its_size_alone(http: aiohttp.ClientSession) -> None:
    _, told = await _post(http, PURPOSE + file() + END)
    async with http.head(f"/v1/files/{told['id']}/content") as answer:
        assert (answer.status, answer.headers["content-length"]) == (200, "7")
        assert await answer.read() == b""
