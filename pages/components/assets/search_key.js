// The key / puts the cursor into the text field of that label, unless the analyst is typing
// somewhere. Nothing is drawn. No third-party code, no HTML.

const byParent = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const page = parentElement.ownerDocument;
  const listen = (event) => goTo(page, data, event);
  page.removeEventListener("keydown", byParent.get(parentElement));
  page.addEventListener("keydown", listen);
  byParent.set(parentElement, listen);
  return () => page.removeEventListener("keydown", listen);
}

function goTo(page, label, event) {
  const isPlain = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!isPlain || isTyping(event.composedPath()[0])) return;
  const fields = [...page.querySelectorAll("input[type=text]")];
  const field = fields.find((each) => each.getAttribute("aria-label") === label);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

function isTyping(element) {
  return element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
}
