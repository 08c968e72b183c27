"""What refusals mean: a table of statuses, codes and words, the first rule that fits decides.

Providers say the same in many ways: the codes are those that any of them is known to use, the
words patterns of what is meant. A new wording is a new line here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from workers.providers.error_class import ErrorClass, Setting

_CALLERS_FIELDS: Final = (
    r"temperature|top_[pk]|stop|stop_sequences|max_(?:completion_|output_)?tokens|response_format"
    r"|json_schema|output_config|seed|(?:frequency|presence|repetition)_penalty|logit_bias"
    r"|(?:top_)?logprobs|metadata|reasoning_effort|service_tier|thinking|verbosity|tools|tool_choice"
    r"|parallel_tool_calls|prompt_cache_key"
)
"""What of a request is the caller's own: a refusal that names one of these is the caller's fault.
`messages` and `model` are not among them: those are of our making."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRule:
    """Fits where the status is one of `statuses`, and a code or the words say so.

    An error that comes without a status of its own fits by what it says alone.
    """

    means: ErrorClass
    statuses: frozenset[int]
    codes: frozenset[str] = frozenset()
    """In lower case."""
    words: re.Pattern[str]
    mend: Setting | None = None
    """What of our settings a person has to mend."""

    def fits(self, *, status: int | None, codes: frozenset[str], words: str) -> bool:
        if status is not None and status not in self.statuses:
            return False
        return not self.codes.isdisjoint(codes) or self.words.search(words) is not None


def _codes(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _words(*meanings: str) -> re.Pattern[str]:
    """Any of these; `…` stands for some words of the same sentence."""
    patterns = "|".join(meanings).replace("…", "[^.!?]{0,80}?")
    return re.compile(patterns, re.IGNORECASE)


_ANY_4XX: Final = frozenset(range(400, 500))
_INPUT: Final = frozenset({400, 403, 404, 409, 413, 415, 422, 451})
"""By these a provider may refuse what the request holds."""

RULES: Final = (
    RefusalRule(
        means=ErrorClass.FILTERED,
        statuses=_INPUT,
        codes=_codes(
            "content_filter content_policy_violation responsibleaipolicyviolation "
            "data_inspection_failed datainspectionfailed moderation_blocked "
            "prohibited_content"
        ),
        words=_words(
            r"content (?:management|usage|safety|moderation) ?(?:policy|policies|filter)",
            r"content[_ ]?(?:policy|filter)",
            r"(?:prompt|input|content|request)…\b(?:flagged|inappropriate|prohibited)",
            r"\b(?:rejected|blocked|flagged) (?:by|as a result of)…(?:safety|moderation|filter)",
        ),
    ),
    RefusalRule(
        means=ErrorClass.UNAUTHORISED,
        mend=Setting.ACCOUNT,
        statuses=_ANY_4XX,
        codes=_codes(
            "insufficient_quota insufficient_balance insufficient_credits "
            "insufficient_funds billing_error billing_hard_limit_reached "
            "billing_not_active account_deactivated account_suspended arrearage "
            "exceeded_current_quota_error budget_exceeded"
        ),
        words=_words(
            r"(?:credit|account|prepaid)s? balance…\b(?:low|insufficient|exhausted|zero)",
            r"insufficient (?:account )?(?:balance|credits?|funds?|quota)",
            r"\b(?:out of|not enough|no|more) credits?\b",
            r"\b(?:account|organi[sz]ation|subscription|project)…\b(?:suspended|deactivated|disabled)",
            r"\baccount…\b(?:in arrears|overdue|not active)\b",
            r"\b(?:billing|payment)…\b(?:hard limit|required|overdue|not active)",
            r"\bbudget has been exceeded",
        ),
    ),
    RefusalRule(
        means=ErrorClass.UNAUTHORISED,
        mend=Setting.KEY,
        statuses=_ANY_4XX - {429},
        codes=_codes(
            "invalid_api_key invalidapikey api_key_invalid authentication_error "
            "auth_error unauthenticated unauthorized permission_denied "
            "permission_error token_not_found_in_db"
        ),
        words=_words(
            r"\b(?:invalid|incorrect|wrong|missing|expired|malformed|unknown|no)\b"
            + r"(?: \w+){0,2}? (?:api|auth|access|proxy|bearer)[- _]?(?:server )?(?:key|token)",
            r"\bapi[- _]?key\b…\b(?:invalid|not valid|expired|incorrect|missing|required)",
            r"authentication (?:error|failed|required)|\bauthenticationerror\b",
        ),
    ),
    RefusalRule(
        means=ErrorClass.BUSY,
        statuses=_ANY_4XX,
        words=_words(
            r"request too large…\b(?:tokens per|requests per|[tr]pm\b)",
            r"\b(?:over|out of|no|at) capacity\b|capacity exceeded",
            r"no (?:available|healthy) (?:instances?|workers?|deployments?|upstreams?|backends?)",
        ),
    ),
    RefusalRule(
        means=ErrorClass.BUSY,
        statuses=_ANY_4XX - {429},
        codes=_codes("rate_limit_exceeded rate_limit_error overloaded_error"),
        words=_words(
            r"\b(?:tokens|requests) per (?:second|minute|min|hour|day)\b|\b[tr]p[md]\b",
            r"\b(?:server|model|engine|service) is (?:currently )?(?:overloaded|busy|at capacity)",
        ),
    ),
    RefusalRule(
        means=ErrorClass.CONTEXT_TOO_LONG,
        statuses=frozenset({400, 413, 422, 500}),
        codes=_codes(
            "context_length_exceeded context_window_exceeded "
            "exceed_context_size_error exceed_context_size context_too_long "
            "prompt_too_long request_too_large model_max_prompt_tokens_exceeded"
        ),
        words=_words(
            r"context[ _-]?(?:length|window|size|limit)…(?:exceed|overflow|\bonly\b|\d+ tokens)",
            r"context[ _-]?(?:length|window|size|limit)…\b(?:is|of) \d",
            r"\b(?:exceed\w*|beyond|over|too large for)\b…\bcontext\b",
            r"\b(?:longer|larger|greater) than\b…\bcontext\b",
            r"\bcontext(?:window|length)exceeded",
            r"\bmaximum (?:context|prompt|input|sequence) (?:length|size|window)",
            r"\b(?:prompt|inputs?|conversation|messages?)\b(?: \w+){0,2}? too (?:long|large)\b",
            r"\b(?:prompt|input|request|tokens?)\b…\bexceed\w*…\btoken limit\b",
            r"\b(?:prompt|input|request|tokens?)\b…\bexceed\w*…\b(?:max(?:imum)?|limit)…\btokens\b",
            r"`?inputs`? tokens \+ `?max_new_tokens`? must be",
            r"\breduce the length of (?:the|your) (?:messages|prompt|input)",
            r"\btoo many tokens\b",
        ),
    ),
    RefusalRule(
        means=ErrorClass.UNKNOWN_FIELD,
        statuses=frozenset({400, 422}),
        codes=_codes("unknown_parameter unsupported_parameter extra_forbidden unknown_field"),
        words=_words(
            r"\b(?:unknown|unrecogni[sz]ed|unexpected|unsupported|extra|additional) "
            r"(?:request |body |keyword )?(?:field|param|argument|propert|key|name|input)",
            r"\b(?:field|parameter|argument|property|input)s?\b…\bnot (?:permitted|allowed)",
            r"\b(?:field|parameter|argument|property)s?\b…\bnot supported",
            r"\b(?:field|parameter|argument|property)s?\b…\b(?:unsupported|unrecogni[sz]ed)",
            r"\bstream_options\b",
            r"\bthinking\.type\.\w+\W+is not supported",
            # A field of ours too: a thought that is given back, and not known again.
            r"\bsignatures?\b…\b(?:thinking|reasoning|thoughts?)\b",
            r"\b(?:thinking|reasoning)\b…\bsignature|\bthought[ _]?signature",
        ),
    ),
    RefusalRule(
        means=ErrorClass.INVALID_REQUEST,
        statuses=frozenset({400, 422}),
        codes=_codes(
            "unsupported_value invalid_json_schema integer_above_max_value "
            "integer_below_min_value decimal_above_max_value "
            "decimal_below_min_value array_above_max_length string_above_max_length"
        ),
        words=_words(rf"\b(?:{_CALLERS_FIELDS})\b", r"\bschema\b"),
    ),
    RefusalRule(
        # A gateway that has nobody for what the caller wants, whichever model it is.
        means=ErrorClass.INVALID_REQUEST,
        statuses=frozenset({400, 404, 422}),
        words=_words(
            r"\brequested (?:parameters|features)\b", r"\bno endpoints found that support\b"
        ),
    ),
    RefusalRule(
        means=ErrorClass.MISCONFIGURED,
        mend=Setting.MODEL,
        statuses=_ANY_4XX - {429},
        codes=_codes(
            "model_not_found model_not_available model_not_supported "
            "model_deprecated model_decommissioned not_found_error invalid_model "
            "unknown_url"
        ),
        words=_words(
            r"\b(?:model|deployment|engine)s?\b…\bnot (?:found|exist|available|supported|loaded)\b",
            r"\b(?:model|deployment|engine)s?\b…\b(?:decommissioned|deprecated|retired)\b",
            r"\b(?:model|deployment|engine)s?\b…\b(?:discontinued|no longer|shut ?down|unknown)\b",
            r"\b(?:unknown|invalid|unsupported|no such|not a valid) (?:model|deployment|engine)\b",
            r"\bno (?:allowed )?(?:endpoints?|providers?)\b…\b(?:found|available)",
            r"\bprovider not provided\b",
            r"\b(?:unknown|invalid) (?:request )?(?:url|path|route|endpoint)\b",
        ),
    ),
)
