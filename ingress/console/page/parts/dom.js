// Elements, and nothing that could read text as markup.

const SAFE_LINK = /^(#|\/(?!\/)|https?:\/\/)/;

/**
 * An element: h("a", { class: "x", href: "#/messages", onclick: act }, "text", child, [more]).
 * Text becomes text nodes. A link that is none of ours and no http(s) is left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "href" && !SAFE_LINK.test(value)) continue;
    else if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** What was in it is gone, this is in it now. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}
