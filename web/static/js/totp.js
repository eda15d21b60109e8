// @ts-check
// Six digits in one field: typed, pasted with spaces, or filled in by a phone. Six of them are sent at once.

/** @param {string} typed */
function digits(typed) {
  return typed.replace(/[\s-]/g, "");
}

/** @param {HTMLInputElement} input */
export function sendWhenComplete(input) {
  let tried = "";
  input.addEventListener("input", () => {
    const code = digits(input.value);
    if (!/^\d{6}$/.test(code) || code === tried) return;
    tried = code;
    input.form?.requestSubmit();
  });
}

const SHAPES = new Set(["svg", "g", "path", "rect"]);
const LOOKS = new Set(["viewBox", "d", "x", "y", "width", "height", "fill", "transform", "shape-rendering"]);

/**
 * Puts the QR code into the page. Only shapes are taken over, so that what arrives as text stays a picture.
 * @param {HTMLElement} place
 * @param {string} svg
 */
export function drawQR(place, svg) {
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  const drawn = copyShape(parsed);
  if (drawn) place.replaceChildren(drawn);
}

/**
 * @param {Element} from
 * @returns {SVGElement | null}
 */
function copyShape(from) {
  if (!SHAPES.has(from.localName)) return null;
  const to = document.createElementNS("http://www.w3.org/2000/svg", from.localName);
  for (const { name, value } of from.attributes) {
    if (LOOKS.has(name)) to.setAttribute(name, value);
  }
  for (const child of from.children) {
    const copied = copyShape(child);
    if (copied) to.append(copied);
  }
  return to;
}
