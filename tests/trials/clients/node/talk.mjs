// What is said to every client of Node, and how a script of one says what came of it.

export const root = process.env.FRONT_URL;
export const url = `${root}/v1`;
export const key = process.env.FRONT_KEY;
export const wrongKey = "fb_of_nobody";
export const model = "gpt-4o";

export const question = "What is a forebay?";
export const story = "Tell me of forebays, piece by piece.";
export const name = "My name is Ada.";
export const who = "What is my name?";
export const weather = "What is the weather in Oslo?";
export const both = "What is the weather in Bergen and Oslo?";
export const first = "Who wrote the first program, and when?";
export const picture = "What does this picture show?";

export const toldName = "Your name is Ada.";
export const toldWeather = "Rain is what Oslo has.";
export const toldPicture = "A single red pixel.";
export const output = "rain all day";
export const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
export const imageUrl = `data:image/png;base64,${png}`;

/** Fails with what was there instead. */
export function has(text, part) {
  if (!String(text).includes(part)) {
    throw new Error(`${JSON.stringify(part)} is not in ${JSON.stringify(text)}`);
  }
}

/** Fails unless both are the same JSON. */
export function same(one, other) {
  if (JSON.stringify(one) !== JSON.stringify(other)) {
    throw new Error(`${JSON.stringify(one)} is not ${JSON.stringify(other)}`);
  }
}

/** That it fails in a way of which this holds. */
export async function fails(ask, holds) {
  try {
    await ask();
  } catch (error) {
    if (!holds(error)) throw error;
    return;
  }
  throw new Error("nothing failed");
}

/** Take the steps one after the other and print a line of JSON for each. */
export async function putThrough(row, steps) {
  for (const [step, take] of Object.entries(steps)) {
    let said = "";
    try {
      await take();
    } catch (error) {
      if (process.env.FRONT_TRACEBACKS) console.error(error);
      said = `${error?.name ?? "Error"}: ${error?.message ?? error}`;
    }
    console.log(JSON.stringify({ row, step, said }));
  }
}
