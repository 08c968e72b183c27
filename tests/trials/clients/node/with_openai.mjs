// openai for Node over both surfaces.

import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import * as talk from "./talk.mjs";

const { model, has, same, fails } = talk;
const [client, stranger] = [talk.key, talk.wrongKey].map(
  (apiKey) => new OpenAI({ baseURL: talk.url, apiKey, maxRetries: 0, timeout: 30_000 }),
);
const Author = z.object({ name: z.string(), year: z.number() });
const weatherFunction = {
  name: "get_weather",
  description: "The weather in a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
};

const ask = (input, more = {}) => client.responses.create({ model, input, ...more });
const responses = {
  question: async () => has((await ask(talk.question)).output_text, talk.question),
  stream: async () => {
    let said = "";
    for await (const event of await ask(talk.story, { stream: true })) {
      if (event.type === "response.output_text.delta") said += event.delta;
    }
    has(said, talk.story);
  },
  stream_helper: async () => {
    const stream = client.responses.stream({ model, input: talk.story });
    has((await stream.finalResponse()).output_text, talk.story);
  },
  turns: async () => {
    const { id } = await ask(talk.name);
    has((await ask(talk.who, { previous_response_id: id })).output_text, talk.toldName);
  },
  conversation: async () => {
    const { id } = await client.conversations.create({});
    await ask(talk.name, { conversation: id });
    has((await ask(talk.who, { conversation: id })).output_text, talk.toldName);
    const { data } = await client.conversations.items.list(id, { order: "asc" });
    same(data.map(({ role }) => role), ["user", "assistant", "user", "assistant"]);
  },
  tools: async () => {
    const tools = [{ type: "function", ...weatherFunction }];
    const said = [{ role: "user", content: talk.weather }];
    const first = await ask(said, { tools });
    const [call] = first.output.filter((item) => item.type === "function_call");
    same(call.arguments, '{"city":"Oslo"}');
    const output = { type: "function_call_output", call_id: call.call_id, output: talk.output };
    has((await ask([...said, ...first.output, output], { tools })).output_text, talk.toldWeather);
  },
  streamed_tools: async () => {
    const tools = [{ type: "function", ...weatherFunction }];
    const stream = client.responses.stream({ model, input: talk.weather, tools });
    const [call] = (await stream.finalResponse()).output;
    same(call.arguments, '{"city":"Oslo"}');
  },
  parallel: async () => {
    const tools = [{ type: "function", ...weatherFunction }];
    const said = [{ role: "user", content: talk.both }];
    const first = await ask(said, { tools });
    const outputs = first.output.map(({ call_id }) => ({
      type: "function_call_output",
      call_id,
      output: talk.output,
    }));
    same(outputs.length, 2);
    has((await ask([...said, ...first.output, ...outputs], { tools })).output_text, talk.toldWeather);
  },
  structured: async () => {
    const format = zodTextFormat(Author, "author");
    const told = await client.responses.parse({ model, input: talk.first, text: { format } });
    same(told.output_parsed, { name: "Ada", year: 1843 });
  },
  image: async () => {
    const content = [
      { type: "input_text", text: talk.picture },
      { type: "input_image", image_url: talk.imageUrl, detail: "low" },
    ];
    has((await ask([{ role: "user", content }])).output_text, talk.toldPicture);
  },
  background: async () => {
    const { id } = await ask(talk.question, { background: true });
    const headers = { Prefer: "wait=20" };
    has((await client.responses.retrieve(id, {}, { headers })).output_text, talk.question);
  },
  error: async () => {
    await fails(
      () => ask(talk.question, { temperature: 9 }),
      (error) => error instanceof OpenAI.BadRequestError && error.message.includes("temperature"),
    );
    await fails(
      () => stranger.responses.create({ model, input: talk.question }),
      (error) => error instanceof OpenAI.AuthenticationError,
    );
  },
};

const chatWith = (messages, more = {}) =>
  client.chat.completions.create({ model, messages, ...more });
const user = (content) => ({ role: "user", content });
const message = (completion) => completion.choices[0].message;
const tools = [{ type: "function", function: weatherFunction }];
const chat = {
  question: async () => has(message(await chatWith([user(talk.question)])).content, talk.question),
  stream: async () => {
    let said = "";
    for await (const chunk of await chatWith([user(talk.story)], { stream: true })) {
      said += chunk.choices[0]?.delta.content ?? "";
    }
    has(said, talk.story);
  },
  turns: async () => {
    const told = message(await chatWith([user(talk.name)]));
    has(message(await chatWith([user(talk.name), told, user(talk.who)])).content, talk.toldName);
  },
  tools: async () => {
    const told = message(await chatWith([user(talk.weather)], { tools }));
    const output = { role: "tool", tool_call_id: told.tool_calls[0].id, content: talk.output };
    const last = await chatWith([user(talk.weather), told, output], { tools });
    has(message(last).content, talk.toldWeather);
  },
  streamed_tools: async () => {
    const runner = client.chat.completions.runTools({
      model,
      stream: true,
      messages: [user(talk.weather)],
      tools: [
        {
          type: "function",
          function: { ...weatherFunction, parse: JSON.parse, function: async () => talk.output },
        },
      ],
    });
    has(await runner.finalContent(), talk.toldWeather);
  },
  parallel: async () => {
    const told = message(await chatWith([user(talk.both)], { tools }));
    const outputs = told.tool_calls.map(({ id }) => ({
      role: "tool",
      tool_call_id: id,
      content: talk.output,
    }));
    same(outputs.length, 2);
    const last = await chatWith([user(talk.both), told, ...outputs], { tools });
    has(message(last).content, talk.toldWeather);
  },
  structured: async () => {
    const told = await client.chat.completions.parse({
      model,
      messages: [user(talk.first)],
      response_format: zodResponseFormat(Author, "author"),
    });
    same(message(told).parsed, { name: "Ada", year: 1843 });
  },
  image: async () => {
    const parts = [
      { type: "text", text: talk.picture },
      { type: "image_url", image_url: { url: talk.imageUrl } },
    ];
    has(message(await chatWith([user(parts)])).content, talk.toldPicture);
  },
  error: async () => {
    await fails(
      () => chatWith([user(talk.question)], { temperature: 9 }),
      (error) => error instanceof OpenAI.BadRequestError && error.message.includes("temperature"),
    );
    await fails(
      () => stranger.chat.completions.create({ model, messages: [user(talk.question)] }),
      (error) => error instanceof OpenAI.AuthenticationError,
    );
  },
};

await talk.putThrough("openai for Node, responses", responses);
await talk.putThrough("openai for Node, chat", chat);
