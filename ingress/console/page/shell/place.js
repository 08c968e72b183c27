// Where in the console somebody is. It stands behind the "#", so that the door serves one page.

/** "#/messages/resp_1?state=failed" -> { name: "messages", parts: ["resp_1"], query } */
export function readPlace(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [name, ...parts] = path.split("/").map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return { name: name || "overview", parts: parts.filter(Boolean), query: new URLSearchParams(query) };
}

/** The address of a place: link("messages", "resp_1") or link("messages", { state: "failed" }) */
export function link(name, ...rest) {
  const query = new URLSearchParams();
  const parts = rest.filter((part) => typeof part !== "object");
  for (const [key, value] of Object.entries(rest.find((part) => typeof part === "object") ?? {})) {
    if (value !== null && value !== undefined && value !== "") query.set(key, value);
  }
  const text = query.toString();
  return `#/${[name, ...parts].map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}
