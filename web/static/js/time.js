// @ts-check
// The server writes times in UTC; the person lives somewhere.

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const SHAPES = {
  date: { dateStyle: "long" },
  moment: { dateStyle: "medium", timeStyle: "short" },
  clock: { timeStyle: "short" },
};

/** @param {ParentNode} root */
export function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-time]")) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.textContent = write(at, time.dataset.time ?? "moment");
    time.title = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" }).format(at);
  }
}

/**
 * @param {Date} at
 * @param {string} shape
 */
function write(at, shape) {
  const today = at.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(undefined, SHAPES[shape === "clock" && !today ? "moment" : shape]).format(at);
}
