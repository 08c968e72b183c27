// What the page asks of the door.

const ROOT = new URL("../../api/", import.meta.url);
let csrf = "";

/** What the door refused, and why: `status`, `code`, `requestId`; `isKnown` is false where it may be done all the same. */
export class Refusal extends Error {
  constructor(status, { detail, code, request_id: requestId } = {}) {
    super(detail ?? (status ? `The door answered ${status}.` : "The door does not answer."));
    Object.assign(this, { status, code, requestId, isKnown: status > 0 && code !== "act_unknown" });
  }
}

export const address = (path) => new URL(path, ROOT);

/** Read something: get("messages", { state: "failed" }, signal). Empty parameters are left out. */
export function get(path, parameters = {}, signal) {
  const url = address(path);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return send(url, { signal });
}

/** Do something: act("POST", `dead_letters/${id}/replay`, { ... }). */
export function act(method, path, body = {}) {
  const headers = { "content-type": "application/json", "x-forebay-csrf": csrf };
  return send(address(path), { method, headers, body: JSON.stringify(body) });
}

/** Who is logged in; null where nobody is. */
export async function whoAmI() {
  const loggedIn = await get("session");
  return loggedIn && remember(loggedIn);
}

export async function logIn(key) {
  return remember(await act("POST", "session", { key }));
}

export const logOut = () => act("DELETE", "session");

function remember(loggedIn) {
  csrf = loggedIn.csrf;
  return loggedIn.user;
}

async function send(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", cache: "no-store", ...options });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Refusal(0);
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && !url.pathname.endsWith("/session")) dispatchEvent(new Event("logged-out"));
  throw new Refusal(response.status, answer);
}
