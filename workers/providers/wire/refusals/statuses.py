"""The status that a code of an error stands for, and what each status means by itself."""

from __future__ import annotations

from typing import Final

from workers.providers.error_class import ErrorClass, Setting

STATUS_OF_CODE: Final = {
    "invalid_request_error": 400,
    "invalid_argument": 400,
    "badrequesterror": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "unauthenticated": 401,
    "billing_error": 402,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "not_found": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "internal": 500,
    "internalservererror": 500,
    "unavailable": 503,
    "timeout_error": 504,
    "deadline_exceeded": 504,
    "overloaded_error": 529,
}
"""Codes and types in lower case; an error inside a stream has no status of its own."""

CLASS_OF_STATUS: Final = {
    400: ErrorClass.INVALID_REQUEST,
    401: ErrorClass.UNAUTHORISED,
    402: ErrorClass.UNAUTHORISED,
    403: ErrorClass.UNAUTHORISED,
    408: ErrorClass.SERVER_ERROR,
    409: ErrorClass.SERVER_ERROR,
    413: ErrorClass.CONTEXT_TOO_LONG,
    422: ErrorClass.INVALID_REQUEST,
    424: ErrorClass.BUSY,
    425: ErrorClass.SERVER_ERROR,
    429: ErrorClass.RATE_LIMITED,
    498: ErrorClass.BUSY,
    499: ErrorClass.BUSY,
    501: ErrorClass.MISCONFIGURED,
}
"""Of a refusal that says nothing we know. Any other 3xx or 4xx comes from an address that does not
serve what we ask for, any other status from a server in trouble."""

SETTING_OF_CLASS: Final = {
    ErrorClass.UNAUTHORISED: Setting.KEY,
    ErrorClass.MISCONFIGURED: Setting.ADDRESS,
    ErrorClass.CONNECTION: Setting.ADDRESS,
}
"""What is to be mended, where the words do not say so."""
