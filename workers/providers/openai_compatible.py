"""What speaks OpenAI's chat completions: OpenAI, Azure, vLLM, Ollama, llama.cpp and others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from shared.messages.item import Role
from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.failures import UnknownFieldError
from workers.providers.outcome import NO_LOGPROBS, Declined
from workers.providers.provider import Conversation, Prompt
from workers.providers.provider_type import ProviderType
from workers.providers.wire.asking.answered_calls import UncarriedError
from workers.providers.wire.asking.chat_messages import chat_messages, told_tools
from workers.providers.wire.asking.thoughts import NAMES_A_SIGNATURE, OwnThoughts, RefusedThoughts
from workers.providers.wire.chat_completions import ChatCompletionsReader
from workers.providers.wire.http_model import HttpApi

_ADDED: Final[dict[str, object]] = {"stream_options": {"include_usage": True}}
"""Without it the figures of a stream are estimates."""
_OLD_LIMIT, _NEW_LIMIT = "max_tokens", "max_completion_tokens"


class ChatCompletions(ChatCompletionsReader):
    """Remembers for each model of one provider what its server does not know.

    The limit of an answer has two names: most servers know the older one, and some models refuse
    it.
    """

    def __init__(
        self, *, is_openai: bool = False, host: str = "", tells_logprobs: bool = True
    ) -> None:
        self._host = host
        self._tells_logprobs = tells_logprobs
        # OpenAI's newer models refuse the old field; most other servers ignore the new one.
        self._limits = (_NEW_LIMIT, _OLD_LIMIT) if is_openai else (_OLD_LIMIT, _NEW_LIMIT)
        self._is_openai = is_openai
        self._refused: dict[str, set[str]] = {}
        self._refused_thoughts = RefusedThoughts()

    @classmethod
    def of(cls, settings: ProviderSettings) -> ChatCompletions:
        """As the provider's server takes them."""
        host = urlsplit(settings.base_url or "").netloc
        return cls(
            is_openai=host == "api.openai.com",
            host=host,
            tells_logprobs=settings.kind.tells_logprobs,
        )

    def request_body(self, prompt: Prompt, model: str) -> dict[str, object] | Declined:
        if prompt.top_logprobs is not None and not self._tells_logprobs:
            return Declined(reason=NO_LOGPROBS)
        if "top_k" in prompt.extra:
            return Declined(reason="it has no 'top_k'")
        try:
            messages = self._messages(prompt, model)
        except UncarriedError as error:
            return Declined(reason=error.message)
        refused = self._refused.get(model, ())
        usual, other = self._limits
        optional: dict[str, object] = {
            other if usual in refused else usual: prompt.max_output_tokens,
            "temperature": prompt.temperature,
            "top_p": prompt.top_p,
            "stop": prompt.stop or None,
            "reasoning_effort": prompt.reasoning.effort if prompt.reasoning else None,
            "prompt_cache_key": prompt.prompt_cache_key,
            "logprobs": None if prompt.top_logprobs is None else True,
            "top_logprobs": prompt.top_logprobs or None,
        }
        tools = told_tools(prompt, narrows=not self._is_openai) if prompt.tools else {}
        return {
            **prompt.extra,
            **tools,
            **{field: value for field, value in optional.items() if value is not None},
            **{field: value for field, value in _ADDED.items() if field not in refused},
            "model": model,
            "messages": messages,
            "stream": True,
        }

    def maker(self, model: str) -> str:
        return f"chat {self._host} {model}"

    def dropped(self, prompt: Prompt, model: str) -> tuple[str, ...]:  # noqa: ARG002
        """Servers of this kind keep what they have read by themselves."""
        return ("cache_control",) if prompt.has_breakpoints else ()

    def leave_out(
        self, refusal: UnknownFieldError, model: str, *, sent: Mapping[str, object]
    ) -> bool:
        """Do without what was refused from now on; False where it was nothing of ours.

        A refusal that names no field at all may mean any of ours. What another call has been
        refused meanwhile counts: the next one does without it.
        """
        ours = sent.keys() & {*_ADDED, self._limits[0]}
        said = f"{refusal.field} {refusal.provider_message}"
        # The new name holds the old one, and is what the caller is told to use.
        named = {name for name in ours if name in said.replace(self._limits[1], "")}
        if not named and NAMES_A_SIGNATURE.search(said):
            return self._refused_thoughts.note(sent)
        if not named and not refusal.field:
            named = sent.keys() & _ADDED.keys()
        self._refused.setdefault(model, set()).update(named)
        return bool(named)

    def _messages(self, prompt: Prompt, model: str) -> list[dict[str, object]]:
        """One system message at the most, and first: every server knows that form."""
        if not prompt.is_plain:
            thoughts = OwnThoughts(by=self.maker(model), refused=self._refused_thoughts)
            return chat_messages(prompt.told, thoughts)
        conversation = Conversation.of(prompt.told)
        messages: list[dict[str, object]] = [
            {"role": each.role.value, "content": each.text} for each in conversation.spoken
        ]
        if conversation.instructions:
            messages.insert(0, {"role": Role.SYSTEM.value, "content": conversation.instructions})
        return messages


CHAT_COMPLETIONS: Final = HttpApi(wire=ChatCompletions.of, path="/chat/completions")
_AZURE: Final = HttpApi(
    wire=ChatCompletions.of,
    root="/openai",
    path="/deployments/{model}/chat/completions?api-version={api_version}",
    key_header="api-key",
    key_prefix="",
)
_LOCAL: Final = HttpApi(
    wire=ChatCompletions.of,
    path="/chat/completions",
    # llama.cpp closes a connection after a stream without saying so; the next call would fail.
    headers={"Connection": "close"},
)

OPENAI_COMPATIBLE: Final = ProviderType(
    kind=ProviderKind.OPENAI_COMPATIBLE, build=CHAT_COMPLETIONS.build
)
AZURE_OPENAI: Final = ProviderType(kind=ProviderKind.AZURE_OPENAI, build=_AZURE.build)
LOCAL: Final = ProviderType(kind=ProviderKind.LOCAL, build=_LOCAL.build)
"""The process that `python -m workers.local_model` runs: the model computes there, so this loop
never waits for it. While it is away or loads, a call fails as with any server."""
