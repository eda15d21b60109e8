// @ts-check
// A page learns within a second that its session was ended elsewhere. Nothing here is a use of the session: the line is
// opened again without asking for anything else.

const SESSION_OVER = 4401;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;

/** Follows the session of this page as long as the page is open. */
export function watchSession() {
  /** @type {WebSocket | null} */
  let line = null;
  let wait = 0;
  let timer = 0;

  const connect = () => {
    const opened = new WebSocket(new URL("/v1/session/events", location.href.replace(/^http/, "ws")));
    line = opened;
    opened.addEventListener("open", () => {
      wait = 0;
      if (opened !== line) opened.close();
    });
    opened.addEventListener("close", ({ code }) => {
      if (opened !== line || document.body.dataset.leaving) return;
      if (code === SESSION_OVER) return leave();
      wait = Math.min(LONGEST_WAIT, wait ? wait * 2 : FIRST_WAIT);
      timer = window.setTimeout(connect, wait + Math.random() * 250);
    });
  };

  // A page with an open line is not kept for the way back, and one that was kept may show what is no more.
  window.addEventListener("pagehide", () => {
    clearTimeout(timer);
    const last = line;
    line = null;
    // Closing one that is not open yet would be written to the console as a failure.
    if (last?.readyState === WebSocket.OPEN) last.close();
  });
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) connect();
  });
  connect();
}

function leave() {
  sessionStorage.setItem("flash", "You were signed out. Sign in to come back.");
  const here = location.pathname + location.search;
  // Whoever stood before the second door starts over, and comes out where they were going.
  const next = location.pathname === "/verify" ? (document.body.dataset.next ?? "") : here;
  location.assign(next ? `/login?next=${encodeURIComponent(next)}` : "/login");
}
