// @ts-check
// Nothing can be pressed before the person can have seen what they press: a page of somebody else may lay itself over a
// frame, fade it, or bring a window up under a click that was meant for another one.

const LOOK = 500; // milliseconds

/**
 * Keeps fields shut until what they confirm has been in sight for a moment, and shuts them again when it is not.
 * @param {HTMLFieldSetElement} fields
 * @param {HTMLElement} what
 */
export function shield(fields, what) {
  const framed = window.parent !== window;
  /** @type {Map<Element, boolean>} */
  const seen = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Element | null} what had the focus when the fields were shut */
  let focused = null;

  function shut() {
    if (fields.disabled) return;
    focused = fields.contains(document.activeElement) ? document.activeElement : null;
    fields.disabled = true;
  }

  function unshut() {
    fields.disabled = false;
    if (focused instanceof HTMLElement && document.activeElement === document.body) focused.focus();
  }

  function judge() {
    const inSight = document.visibilityState === "visible" && (!framed || [...seen.values()].every(Boolean));
    clearTimeout(timer);
    if (!inSight) shut();
    else if (fields.disabled) timer = setTimeout(unshut, LOOK);
  }

  document.addEventListener("visibilitychange", judge);
  window.addEventListener("focus", () => {
    if (framed) return; // the frame's own controls take the focus in turns
    shut();
    judge();
  });
  if (!framed) return judge();
  // isVisible says that nothing lies over it, as far as the browser can tell at all (Intersection Observer v2). Where it
  // can't, being in sight is what there is.
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        const whole = entry.target === fields ? entry.isIntersecting : entry.intersectionRatio >= 0.9;
        seen.set(entry.target, whole && (/** @type {any} */ (entry).isVisible ?? true));
      }
      judge();
    },
    /** @type {any} */ ({ threshold: [0, 0.5, 0.9, 1], trackVisibility: true, delay: 100 }),
  );
  for (const element of [what, fields]) {
    seen.set(element, false);
    observer.observe(element);
  }
}
