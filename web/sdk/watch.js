// @ts-check
// A page learns within a second that its session was ended elsewhere. Nothing here is a use of the session: the line is
// opened again without asking for anything else. It is a WebSocket, for a stream of events would take one of the few
// connections that browsers have for a host by HTTP/1.1, in each tab.

const SESSION_OVER = 4401;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;

/**
 * Follows the session of this page as long as the page is open.
 * @param {string} origin Sallyport's
 * @param {() => void} over told once
 * @returns {() => void} ends it
 */
export function follow(origin, over) {
  /** @type {WebSocket | null} */
  let line = null;
  let wait = 0;
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;

  const connect = () => {
    const opened = new WebSocket(new URL("/v1/session/events", origin.replace(/^http/, "ws")));
    line = opened;
    opened.addEventListener("open", () => {
      wait = 0;
      if (opened !== line) opened.close();
    });
    opened.addEventListener("close", ({ code }) => {
      if (opened !== line) return;
      if (code === SESSION_OVER) {
        stop();
        over();
        return;
      }
      wait = Math.min(LONGEST_WAIT, wait ? wait * 2 : FIRST_WAIT);
      timer = setTimeout(connect, wait + Math.random() * 250);
    });
  };
  const hangUp = () => {
    clearTimeout(timer);
    const last = line;
    line = null;
    // Closing one that is not open yet would be written to the console as a failure.
    if (last?.readyState === WebSocket.OPEN) last.close();
  };
  /** @param {PageTransitionEvent} event */
  const back = ({ persisted }) => {
    if (persisted) connect();
  };
  const stop = () => {
    hangUp();
    window.removeEventListener("pagehide", hangUp);
    window.removeEventListener("pageshow", back);
  };

  // A page with an open line is not kept for the way back, and one that was kept may show what is no more.
  window.addEventListener("pagehide", hangUp);
  window.addEventListener("pageshow", back);
  connect();
  return stop;
}
