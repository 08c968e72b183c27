// Shows openapi.json, which lies beside this page, whatever path a proxy puts both under.
// Everything becomes text nodes, so nothing in the document can run.

const BASE = new URL(".", location.href).href.replace(/\/$/, "");

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

function nameOf(reference) {
  return reference.split("/").pop();
}

function describe(schema) {
  if (!schema) return ["anything"];
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return [element("a", { href: `#schema-${name}` }, name)];
  }
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return variants.flatMap((one, index) => (index ? [" or ", ...describe(one)] : describe(one)));
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" or ")];
  if ("const" in schema) return [JSON.stringify(schema.const)];
  if (schema.type === "array") return ["list of ", ...describe(schema.items)];
  return [schema.type ?? "anything"];
}

function limits(schema) {
  const names = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties"];
  const of = (one) => names.filter((name) => name in one).map((name) => `${name} ${one[name]}`);
  return [schema, ...(schema.anyOf ?? [])].flatMap(of).join(", ");
}

function table(heads, rows) {
  const line = (tag, cells) => element("tr", {}, ...cells.map((cell) => element(tag, {}, ...[cell].flat())));
  return element("table", {}, line("th", heads), ...rows.map((row) => line("td", row)));
}

function parameters(operation) {
  if (!operation.parameters.length) return null;
  const rows = operation.parameters.map((one) => [
    element("code", {}, one.name), one.in, describe(one.schema), one.description ?? "",
  ]);
  return table(["Parameter", "In", "Type", ""], rows);
}

function bodies(title, content) {
  const kinds = Object.entries(content ?? {});
  if (!kinds.length) return null;
  return table([title, ""], kinds.map(([media, { schema }]) => [element("code", {}, media), describe(schema)]));
}

function answers(responses) {
  const rows = Object.entries(responses).flatMap(([status, { description, content }]) =>
    Object.entries(content ?? {}).map(([media, { schema }]) => [status, description, element("code", {}, media), describe(schema)]));
  return table(["Status", "", "Body", ""], rows);
}

function example(method, path, operation) {
  const lines = [`curl -X ${method.toUpperCase()} ${BASE}${path}`];
  if (operation.security.length) lines.push(`-H "Authorization: Bearer $FOREBAY_API_KEY"`);
  if (operation.requestBody) {
    const body = path.includes("chat") ? `{"messages":[{"role":"user","content":"Hello"}]}` : `{"input":"Hello"}`;
    lines.push(`-H "Content-Type: application/json"`, `-d '${body}'`);
  }
  return element("pre", {}, lines.join(" \\\n  "));
}

function operation(path, method, described) {
  const head = element("summary", {},
    element("span", { class: "method" }, method.toUpperCase()),
    element("code", {}, path),
    element("span", { class: "what" }, described.summary));
  const parts = [
    described.description ? element("p", {}, described.description) : null,
    example(method, path, described),
    parameters(described),
    bodies("Request body", described.requestBody?.content),
    answers(described.responses),
  ];
  return element("details", { id: described.operationId }, head, ...parts.filter(Boolean));
}

function schema(name, described) {
  const required = new Set(described.required ?? []);
  const rows = Object.entries(described.properties ?? {}).map(([field, one]) => [
    [element("code", {}, field), required.has(field) ? element("span", { class: "required" }, " required") : ""],
    describe(one), limits(one),
  ]);
  const inside = rows.length ? table(["Field", "Type", ""], rows) : element("p", {}, ...describe(described));
  return element("details", { id: `schema-${name}` }, element("summary", {}, element("code", {}, name)),
    element("p", {}, described.description ?? ""), inside);
}

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.tagName === "DETAILS") target.open = true;
}

async function show() {
  const about = document.getElementById("about");
  const answer = await fetch(`${BASE}/openapi.json`);
  if (!answer.ok) throw new Error(`openapi.json answered ${answer.status}`);
  const api = await answer.json();
  about.textContent = `${api.info.description} Version ${api.info.version}.`;
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, described] of Object.entries(methods)) {
      const tag = described.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(path, method, described));
    }
  }
  const main = document.getElementById("operations");
  for (const [tag, shown] of groups) main.append(element("h2", {}, tag), ...shown);
  const list = document.getElementById("schemas");
  for (const [name, described] of Object.entries(api.components.schemas)) list.append(schema(name, described));
  openTarget();
}

addEventListener("hashchange", openTarget);
show().catch((error) => { document.getElementById("about").textContent = String(error); });
