// The Vercel AI SDK: `openai()` (Responses), `.chat()` and `@ai-sdk/openai-compatible`.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import * as talk from "./talk.mjs";

const { has, same, fails } = talk;
const asOpenAI = (apiKey) => createOpenAI({ baseURL: talk.url, apiKey });
const compatible = (apiKey) =>
  createOpenAICompatible({
    name: "forebay",
    baseURL: talk.url,
    apiKey,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
const surfaces = {
  "Vercel AI SDK, openai()": (apiKey) => asOpenAI(apiKey)(talk.model),
  "Vercel AI SDK, openai.chat()": (apiKey) => asOpenAI(apiKey).chat(talk.model),
  "Vercel AI SDK, openai-compatible": (apiKey) => compatible(apiKey)(talk.model),
  "Vercel AI SDK, anthropic()": (apiKey) =>
    createAnthropic({ baseURL: talk.url, apiKey })(talk.model),
};
const Author = z.object({ name: z.string(), year: z.number() });
const tools = {
  get_weather: tool({
    description: "The weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      same(["Oslo", "Bergen"].includes(city), true);
      return talk.output;
    },
  }),
};

/** The steps with one of the models; every one is asked once only. */
function stepsOf(modelFor) {
  const asked = { model: modelFor(talk.key), maxRetries: 0 };
  const user = (content) => ({ role: "user", content });
  return {
    question: async () => has((await generateText({ ...asked, prompt: talk.question })).text, talk.question),
    stream: async () => {
      let said = "";
      for await (const piece of streamText({ ...asked, prompt: talk.story }).textStream) said += piece;
      has(said, talk.story);
    },
    turns: async () => {
      const { response } = await generateText({ ...asked, messages: [user(talk.name)] });
      const messages = [user(talk.name), ...response.messages, user(talk.who)];
      has((await generateText({ ...asked, messages })).text, talk.toldName);
    },
    tools: async () => {
      const loop = { ...asked, tools, prompt: talk.weather, stopWhen: stepCountIs(3) };
      const { text, steps } = await generateText(loop);
      has(text, talk.toldWeather);
      same(steps.length, 2);
    },
    streamed_tools: async () => {
      const loop = { ...asked, tools, prompt: talk.weather, stopWhen: stepCountIs(3) };
      has(await streamText(loop).text, talk.toldWeather);
    },
    parallel: async () => {
      const loop = { ...asked, tools, prompt: talk.both, stopWhen: stepCountIs(3) };
      const { text, steps } = await generateText(loop);
      has(text, talk.toldWeather);
      same(steps[0].toolCalls.length, 2);
    },
    structured: async () => {
      const { object } = await generateObject({ ...asked, schema: Author, prompt: talk.first });
      same(object, { name: "Ada", year: 1843 });
    },
    image: async () => {
      const content = [
        { type: "text", text: talk.picture },
        { type: "image", image: Buffer.from(talk.png, "base64"), mediaType: "image/png" },
      ];
      has((await generateText({ ...asked, messages: [user(content)] })).text, talk.toldPicture);
    },
    error: async () => {
      await fails(
        () => generateText({ ...asked, topP: 9, prompt: talk.question }),
        (error) => APICallError.isInstance(error) && error.message.includes("top_p"),
      );
      await fails(
        () => generateText({ ...asked, model: modelFor(talk.wrongKey), prompt: talk.question }),
        (error) => APICallError.isInstance(error) && error.statusCode === 401,
      );
    },
  };
}

/** Of Responses alone; it begins with one that was made by other means. */
async function conversation() {
  const headers = { Authorization: `Bearer ${talk.key}`, "Content-Type": "application/json" };
  const made = await fetch(`${talk.url}/conversations`, { method: "POST", headers, body: "{}" });
  const providerOptions = { openai: { conversation: (await made.json()).id } };
  const asked = { model: asOpenAI(talk.key)(talk.model), maxRetries: 0, providerOptions };
  await generateText({ ...asked, prompt: talk.name });
  has((await generateText({ ...asked, prompt: talk.who })).text, talk.toldName);
}

for (const [row, modelFor] of Object.entries(surfaces)) {
  const more = row.endsWith("openai()") ? { conversation } : {};
  await talk.putThrough(row, { ...stepsOf(modelFor), ...more });
}
