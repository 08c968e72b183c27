"""Why a document has failed, in one word that programs may rely on."""

from __future__ import annotations

from enum import StrEnum


class DocumentFault(StrEnum):
    """What stands in `document.error_code` of a document that failed."""

    UNREADABLE = "unreadable"
    """It is not what its name says, or its reader ended or took too long."""
    CONTENT_GONE = "content_gone"
    """What was uploaded or posted is not there any more."""
    STORE_REFUSED = "store_refused"
    """A store takes one of its passages for no good."""
    INTERNAL_ERROR = "internal_error"
    """A fault of ours, which is in the log."""
    GAVE_UP = "gave_up"
    """Those who indexed it died of it, one after the other."""
