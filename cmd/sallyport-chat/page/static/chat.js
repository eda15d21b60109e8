// @ts-check
// The rooms and what is said in them. The page is guarded twice: the server leads whoever is signed out away from it, and
// here every route asks first who it is, since a page may stand open for longer than its session.

/** @param {string} selector */
const find = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const views = { rooms: find("[data-rooms]"), room: find("[data-room]"), over: find("[data-over]") };
const problemLine = find("[data-problem]");

/** @typedef {{sub: string, name: string, moderator: boolean}} Me */
/** @typedef {{id: number, name: string, text: string, at: string}} Message */

class Refused extends Error {
  /** @param {{status: number, code?: string, detail?: string, url?: string}} from */
  constructor(from) {
    super(from.detail ?? "That didn’t work. Try again in a moment.");
    this.code = from.code ?? "";
    this.url = from.url ?? "";
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function ask(method, path, body) {
  /** @type {RequestInit} */
  const init = { method, headers: { Accept: "application/json" } };
  if (body) {
    init.headers = { ...init.headers, "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Refused({ status: 0, detail: "We can’t reach the server. Check your connection, then try again." });
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw new Refused({ status: answer.status, ...(await answer.json().catch(() => ({}))) });
}

/**
 * Does something, and what there is to do about it where it is refused.
 * @param {() => Promise<unknown>} work
 * @param {string} back where to come back to after a step-up
 */
async function attempt(work, back = location.pathname) {
  say("");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === "sign_in_required") return over();
    if (error.code === "step_up_required") {
      location.assign(`${error.url}&next=${encodeURIComponent(back)}`);
      await new Promise(() => {}); // the page is about to be replaced
    }
    say(error.message);
  }
}

/** @param {string} words */
function say(words) {
  problemLine.textContent = words;
  problemLine.hidden = !words;
  if (words) problemLine.focus();
}

/** @param {keyof typeof views} name */
function show(name) {
  for (const [key, view] of Object.entries(views)) view.hidden = key !== name;
  /** @type {HTMLElement} */ (views[name].querySelector("h1")).focus();
}

/** @type {WebSocket | undefined} */
let socket;

function hangUp() {
  const last = socket;
  socket = undefined;
  // Browsers complain of one that is closed before it was open.
  if (last?.readyState === WebSocket.CONNECTING) last.addEventListener("open", () => last.close());
  else last?.close();
}

/** The session is over: nothing of it stays on the page. */
function over() {
  hangUp();
  find("[data-messages]").replaceChildren();
  find("[data-list]").replaceChildren();
  show("over");
}

async function showRooms() {
  const { rooms } = await ask("GET", "/api/rooms");
  const list = find("[data-list]");
  list.replaceChildren(
    ...rooms.map((/** @type {{id: string, name: string}} */ room) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/rooms/${room.id}`;
      link.textContent = room.name;
      item.append(link);
      return item;
    }),
  );
  find("[data-none]").hidden = rooms.length > 0;
  show("rooms");
}

/** @param {Message} message */
function add({ id, name, text }) {
  const list = find("[data-messages]");
  if (list.querySelector(`[data-id="${id}"]`)) return;
  const item = document.createElement("li");
  item.dataset.id = String(id);
  const who = document.createElement("strong");
  who.textContent = name;
  item.append(who, text);
  list.append(item);
  list.scrollTop = list.scrollHeight;
}

/**
 * @param {string} id
 * @param {Me} me
 */
async function showRoom(id, me) {
  const { room, messages } = await ask("GET", `/api/rooms/${id}/messages`);
  find("[data-room-name]").textContent = room.name;
  find("[data-messages]").replaceChildren();
  messages.forEach(add);
  find("[data-delete]").hidden = room.made_by !== me.sub && !me.moderator;
  show("room");
  listen(id);
}

/** @param {string} id */
function listen(id) {
  hangUp();
  const own = new WebSocket(`${location.origin.replace("http", "ws")}/socket/${id}`);
  socket = own;
  own.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    if (told.message) add(told.message);
    if (told.deleted) void attempt(() => go("/rooms"));
  });
  own.addEventListener("close", (event) => {
    if (socket !== own) return; // we hung up ourselves
    if (event.code === 4401) return over();
    setTimeout(() => socket === own && route(), 2000);
  });
}

const roomIn = () => location.pathname.match(/^\/rooms\/([^/]+)$/)?.[1] ?? "";

/** The guard of every route: who is it, and may they be here? */
async function route() {
  await attempt(async () => {
    const me = await ask("GET", "/api/me");
    const id = roomIn();
    if (!id) {
      hangUp();
      return showRooms();
    }
    if (new URLSearchParams(location.search).has("delete")) {
      history.replaceState(null, "", location.pathname);
      await remove(id); // they were away to confirm that it's them
    }
    if (roomIn() === id) await showRoom(id, me);
  });
}

/** @param {string} path */
async function go(path) {
  history.pushState(null, "", path);
  await route();
}

/** @param {string} id */
async function remove(id) {
  await attempt(async () => {
    await ask("DELETE", `/api/rooms/${id}`);
    await go("/rooms");
  }, `/rooms/${id}?delete`);
}

/**
 * @param {string} selector
 * @param {(data: FormData, form: HTMLFormElement) => Promise<void>} work
 */
function onSubmit(selector, work) {
  const form = /** @type {HTMLFormElement} */ (find(selector));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = /** @type {HTMLElement} */ (form.querySelector("button"));
    if (button.hasAttribute("aria-busy")) return;
    button.setAttribute("aria-busy", "true");
    await attempt(() => work(new FormData(form), form));
    button.removeAttribute("aria-busy");
  });
}

onSubmit("[data-make]", async (data, form) => {
  const made = await ask("POST", "/api/rooms", { name: data.get("name") });
  form.reset();
  await go(`/rooms/${made.id}`);
});
onSubmit("[data-say]", async (data, form) => {
  add(await ask("POST", `/api/rooms/${roomIn()}/messages`, { text: data.get("text") }));
  form.reset();
});
find("[data-delete] button").addEventListener("click", () => void remove(roomIn()));
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.origin !== location.origin || !link.pathname.startsWith("/rooms") || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  void go(link.pathname);
});
addEventListener("popstate", () => void route());
addEventListener("pageshow", (event) => event.persisted && route()); // from the cache of pages, whose session may be over
void route();
