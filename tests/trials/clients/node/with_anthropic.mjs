// Anthropic's own client for Node.

import Anthropic from "@anthropic-ai/sdk";
import * as talk from "./talk.mjs";

const { model, has, same, fails } = talk;
const [client, stranger] = [talk.key, talk.wrongKey].map(
  (apiKey) => new Anthropic({ baseURL: talk.root, apiKey, maxRetries: 0, timeout: 30_000 }),
);
const tools = [
  {
    name: "get_weather",
    description: "The weather in a city.",
    input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];
const form = {
  name: "author",
  input_schema: {
    type: "object",
    properties: { name: { type: "string" }, year: { type: "integer" } },
    required: ["name", "year"],
  },
};
const user = (content) => ({ role: "user", content });
const kept = ({ content }) => ({ role: "assistant", content });
const ask = (messages, more = {}) =>
  client.messages.create({ model, max_tokens: 99, messages, ...more });
const streamed = (messages, more = {}) =>
  client.messages.stream({ model, max_tokens: 99, messages, ...more }).finalMessage();

/** Gives what the tools give, and reads what is made of it. */
async function answer(said, first, calls) {
  const uses = first.content.filter(({ type }) => type === "tool_use");
  same([first.stop_reason, uses.length], ["tool_use", calls]);
  const results = uses.map(({ id }) => ({
    type: "tool_result",
    tool_use_id: id,
    content: talk.output,
  }));
  const last = await ask([user(said), kept(first), user(results)], { tools });
  has(last.content[0].text, talk.toldWeather);
}

await talk.putThrough("anthropic for Node", {
  question: async () => has((await ask([user(talk.question)])).content[0].text, talk.question),
  stream: async () => {
    let said = "";
    for await (const event of await ask([user(talk.story)], { stream: true })) {
      if (event.type === "content_block_delta") said += event.delta.text;
    }
    has(said, talk.story);
  },
  stream_helper: async () => has((await streamed([user(talk.story)])).content[0].text, talk.story),
  turns: async () => {
    const first = await ask([user(talk.name)]);
    const last = await ask([user(talk.name), kept(first), user(talk.who)]);
    has(last.content[0].text, talk.toldName);
  },
  tools: async () => answer(talk.weather, await ask([user(talk.weather)], { tools }), 1),
  streamed_tools: async () =>
    answer(talk.weather, await streamed([user(talk.weather)], { tools }), 1),
  parallel: async () => answer(talk.both, await ask([user(talk.both)], { tools }), 2),
  structured: async () => {
    const choice = { tools: [form], tool_choice: { type: "tool", name: "author" } };
    const told = await ask([user(talk.first)], choice);
    same(told.content[0].input, { name: "Ada", year: 1843 });
  },
  image: async () => {
    const source = { type: "base64", media_type: "image/png", data: talk.png };
    const parts = [
      { type: "image", source },
      { type: "text", text: talk.picture },
    ];
    has((await ask([user(parts)])).content[0].text, talk.toldPicture);
  },
  error: async () => {
    await fails(
      () => ask([user(talk.question)], { temperature: 9 }),
      (error) =>
        error instanceof Anthropic.BadRequestError && error.message.includes("temperature"),
    );
    await fails(
      () => stranger.messages.create({ model, max_tokens: 9, messages: [user(talk.question)] }),
      (error) => error instanceof Anthropic.AuthenticationError,
    );
  },
});
